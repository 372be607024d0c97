import Testing

@testable import LinkModel

@Suite("Recorded links") struct RateTraceTests {
    private static let second: UInt64 = 1_000_000_000

    /// Bytes that arrive in each second if the link always has more to send than it carries.
    private func delivered(_ shape: LinkShape, seconds: Int, frame: Int = 1514, origin: UInt64 = 0) -> [Int] {
        var model = LinkModel(shape: shape, seed: 1)
        model.restart(at: origin)
        var bytes = [Int](repeating: 0, count: seconds)
        var now = origin
        while now < origin + UInt64(seconds) * Self.second {
            if case .delivered(let time) = model.offer(bytes: frame, at: now) {
                let second = Int((time - origin) / Self.second)
                if second < seconds { bytes[second] += frame }
            }
            now += 20_000
        }
        return bytes
    }

    @Test(arguments: [0, 12_345_678_901] as [UInt64])
    func aCSVFilesSecondsArriveAsTheyStandThere(_ origin: UInt64) throws {
        let text = "second,a,b\n0,8,1\n1,40.5,2\n2,0,3\n3,0,4\n4,100,5\n"
        var shape = LinkShape(rate: 0, delay: 0)
        shape.trace = try RateTrace(csv: text, column: "a")
        shape.queueBytes = 30_000
        let bytes = delivered(shape, seconds: 10, origin: origin)
        for (second, megabits) in [8, 40.5, 0, 0, 100, 8, 40.5, 0, 0, 100].enumerated() {
            #expect(abs(Double(bytes[second]) - megabits * 1e6 / 8) <= 2 * 1514, "second \(second)")
        }
    }

    @Test func aMahimahiFilesOpportunitiesCarry1500BytesEach() throws {
        // 3 at 1 ms, 1 at 4 ms, 1 at 1500 ms, 2 at 2500 ms, which is 0 ms of the next round.
        let trace = try RateTrace(mahimahi: "1\n1\n1\n4\n1500\n2500\n2500\n")
        #expect(trace.period == 2_500_000_000)
        #expect(trace.bits(from: 0, to: trace.period) == 7 * 12_000)
        #expect(trace.bits(from: 0, to: 1_000_000) == 2 * 12_000)
        #expect(trace.bits(from: 4_000_001, to: 2_500_000_000) == 12_000)
        #expect(trace.bits(from: 1_000_000_000, to: 6_000_000_000) == 14 * 12_000)
        var shape = LinkShape(rate: 0, delay: 5_000_000)
        shape.trace = trace
        shape.queueBytes = 100_000
        var model = LinkModel(shape: shape, seed: 1)
        // Sent before 1 ms: three opportunities carry four frames of 1000 bytes and half of the fifth.
        let times = (0..<7).map { _ in model.offer(bytes: 1000, at: 500_000) }
        let expected: [UInt64] = [1, 1, 1, 1, 4, 4, 1500].map { $0 * 1_000_000 + 5_000_000 }
        #expect(times == expected.map { .delivered(at: $0) })
        // An opportunity for which no frame waited is lost.
        #expect(model.offer(bytes: 1000, at: 1_600_000_000) == .delivered(at: 2_505_000_000))
    }

    @Test func everyByteOfAMahimahiFileIsUsedByAFlood() {
        for seed in 1...5 as ClosedRange<UInt64> {
            var shape = LinkShape(rate: 0, delay: 0)
            let trace = RateTrace.cellular(mean: 20, volatility: 10, seconds: 4, seed: seed)
            shape.trace = trace
            shape.queueBytes = 60_000
            let bytes = delivered(shape, seconds: 8, frame: 1000)
            var sum = 0.0
            for second in 0..<8 as Range<UInt64> {
                sum += trace.bits(from: second * Self.second, to: (second + 1) * Self.second) / 8
                let arrived = bytes[...Int(second)].reduce(0, +)
                // At the very first instant the flood has only one frame there.
                let missed = trace.bits(from: 0, to: 1_000_000) / 8
                #expect(abs(Double(arrived) - sum) <= 3000 + missed, "seed \(seed) until second \(second)")
            }
        }
    }

    @Test func theQueueIsAsDeepAsItsBytesAndAnOutageFillsIt() throws {
        var shape = LinkShape(rate: 0, delay: 0)
        shape.trace = try RateTrace(csv: "second,a\n0,0\n1,8\n", column: "a")
        // 300 ms of a mean of 4 Mbit/s.
        shape.queue = 300_000_000
        var model = LinkModel(shape: shape, seed: 1)
        let fates = (0..<200).map { model.offer(bytes: 1000, at: $0 * 1_000_000) }
        #expect(fates.prefix(150).allSatisfy { $0 != .queueFull })
        #expect(fates.dropFirst(150).allSatisfy { $0 == .queueFull })
        #expect(fates[0] == .delivered(at: 1_001_000_000) && fates[149] == .delivered(at: 1_150_000_000))
        // The half that has left made room.
        #expect(model.offer(bytes: 1000, at: 1_075_000_000) == .delivered(at: 1_151_000_000))
    }

    @Test func scalingScalesEverySecond() throws {
        let trace = try RateTrace(csv: "second,a\n0,10\n1,0\n2,30\n", column: "a").scaled(by: 0.4)
        #expect(trace == RateTrace(rates: [4_000_000, 0, 12_000_000]))
        let opportunities = try RateTrace(mahimahi: "1\n2\n").scaled(by: 0.5)
        #expect(opportunities.meanRate == 2 * 750 * 8 * 500)
    }

    @Test(arguments: [
        ("", "it has no capacity at any time"), ("0\n0\n", "it has no capacity at any time"),
        ("1\nx\n", "line 2: an opportunity is"), ("1\n-3\n", "line 2: an opportunity is"),
        ("5\n\n3\n", "line 3: opportunities stand in order"), ("99999999\n", "line 1: an opportunity is"),
    ])
    func brokenMahimahiFilesAreRefused(_ text: String, _ reason: String) {
        do throws(TraceError) {
            Issue.record("\(try RateTrace(mahimahi: text))")
        } catch {
            #expect(error.description.hasPrefix(reason), "\(error)")
        }
    }

    @Test(arguments: [
        ("", "it has no capacity"), ("second,a\n0,0\n", "it has no capacity"),
        ("second,b,c\n0,1,2\n", "there is no column 'a'; there are b, c"),
        ("second,a\n0,1\n1\n", "line 3: column 'a' has no rate"), ("second,a\n0,-1\n", "line 2: column 'a'"),
        ("second,a\n0,nan\n", "line 2: column 'a'"), ("second,a\n0,1e9\n", "line 2: column 'a'"),
    ])
    func brokenCSVFilesAreRefused(_ text: String, _ reason: String) {
        do throws(TraceError) {
            Issue.record("\(try RateTrace(csv: text, column: "a"))")
        } catch {
            #expect(error.description.hasPrefix(reason), "\(error)")
        }
    }

    @Test func generatedDrivesHaveTheirStatistics() throws {
        let trace = RateTrace.drive(
            mean: 50, spread: 0.4, memory: 0.8, outage: (0.1, 3), seconds: 20_000, seed: 3)
        guard case .rates(let bits, _) = trace.course else {
            Issue.record("seconds are rates")
            return
        }
        let rates = bits.map { Double($0) / 1e6 }
        let (out, up) = (rates.filter { $0 == 0 }, rates.filter { $0 > 0 })
        #expect(abs(Double(out.count) / 20_000 - 0.1) < 0.015)
        let outages = zip(rates, rates.dropFirst()).count { $0 > 0 && $1 == 0 }
        #expect(abs(Double(out.count) / Double(outages) - 3) < 0.3)
        let mean = up.reduce(0, +) / Double(up.count)
        #expect(abs(mean - 50) < 1.5)
        let variance = up.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(up.count)
        // The coefficient of variation of a log-normal distribution is √(e^(spread²) − 1).
        #expect(abs(variance.squareRoot() / mean - 0.417) < 0.03)
        #expect(
            trace == .drive(mean: 50, spread: 0.4, memory: 0.8, outage: (0.1, 3), seconds: 20_000, seed: 3))
    }
}
