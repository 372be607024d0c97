import Packet
import Testing

@Suite struct SaturationTests {
    @Test func aDoubleBecomesTheNearestInteger() {
        #expect(Int64(saturating: 1.9) == 1 && Int64(saturating: -1.9) == -1)
        for (value, nearest) in [
            (Double.infinity, Int64.max), (-.infinity, .min), (9.3e18, .max), (-9.3e18, .min), (.nan, 0),
            (Double(Int64.max), .max), (Double(Int64.min), .min),
        ] as [(Double, Int64)] { #expect(Int64(saturating: value) == nearest, "\(value)") }
        #expect(UInt16(saturating: -1) == 0 && UInt16(saturating: 65_535.9) == 65_535)
        #expect(UInt8(saturating: 1e300) == 255)
    }

    @Test func lengthsOfTimeSaturate() {
        let (least, most) = (Interval(nanoseconds: .min), Interval(nanoseconds: .max))
        #expect(most + .seconds(1) == most && least + .seconds(-1) == least)
        #expect(least - .seconds(1) == least && most - .seconds(-1) == most)
        #expect(most * 2 == most && most * -2 == least && least * 2 == least && least * -1 == most)
        #expect(.seconds(2) * 3 == .seconds(6) && .seconds(2) - .seconds(3) == .seconds(-1))
    }
}
