import LinkModel
import Testing

@testable import FEC

@Suite struct GaloisFieldTests {
    private let field = LogField()

    @Test func productsAreThoseOfTheTables() {
        for a in UInt8.min...UInt8.max {
            for b in UInt8.min...UInt8.max where GaloisField.multiply(a, b) != field.multiply(a, b) {
                Issue.record("\(a) × \(b)")
            }
        }
    }

    @Test func inversesGiveOne() {
        for a in UInt8(1)...255 { #expect(GaloisField.multiply(a, GaloisField.inverse(a)) == 1) }
        #expect(GaloisField.inverse(0) == 0)
    }

    /// Any length, any alignment, and not a byte beyond.
    @Test func sumsOfBuffersAreThoseOfTheirBytes() {
        var random = SeededGenerator(seed: 1)
        for length in Array(0...70) + [1404] {
            for offset in 0..<3 {
                let coefficient = UInt8.random(in: 0...255, using: &random)
                let source = (0..<length + offset).map { _ in UInt8.random(in: 0...255, using: &random) }
                let before = (0..<length + 9).map { _ in UInt8.random(in: 0...255, using: &random) }
                var sum = before
                source.withUnsafeBytes { source in
                    sum.withUnsafeMutableBytes { sum in
                        GaloisField.add(
                            coefficient, times: UnsafeRawBufferPointer(rebasing: source[offset...]), to: sum)
                    }
                }
                var expected = before
                for i in 0..<length { expected[i] ^= field.multiply(coefficient, source[offset + i]) }
                #expect(sum == expected, "length \(length), offset \(offset), × \(coefficient)")
            }
        }
    }

    /// Both ends must always agree on these.
    @Test func coefficientsAreTheWireFormats() {
        let window = EncodingWindow(first: 1_000_000, count: 8, seed: 3)
        #expect(
            (window.first..<window.end).map { window.coefficient(of: $0) } == [
                71, 53, 215, 15, 112, 124, 198, 132,
            ])
        #expect(EncodingWindow(first: 0, count: 1, seed: 0).coefficient(of: 0) == 1)
    }

    @Test func coefficientsAreAllEquallyLikelyAndNeverZero() {
        var counts = [Int](repeating: 0, count: 256)
        for first in 0..<500 as Range<UInt64> {
            let window = EncodingWindow(first: first * 7, count: 255, seed: UInt8(first & 255))
            for sequence in window.first..<window.end { counts[Int(window.coefficient(of: sequence))] += 1 }
        }
        #expect(counts[0] == 0)
        #expect(counts[1...].allSatisfy { $0 > 400 && $0 < 600 })
    }
}
