import Testing

@testable import LinkModel

@Suite("The link model") struct LinkModelTests {
    private static let frame = 1514

    /// The delivery time of a fate, if it has one.
    private func delivery(_ fate: LinkModel.Fate) -> UInt64? {
        switch fate {
        case .delivered(let time), .duplicated(let time, _): time
        default: nil
        }
    }

    /// An oracle that counts work instead of times: a bucket of nanoseconds of work drains over time.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func rateDelayAndQueueMatchALeakyBucket(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        // Rates at which a byte takes whole nanoseconds, so that model and oracle agree to the bit.
        let megabits = [1, 2, 4, 5, 10, 20, 25, 40, 50, 100, 200, 250, 400, 500, 1000].randomElement(
            using: &random)!
        let byteTime = UInt64(8000 / megabits)
        var shape = LinkShape(
            rate: UInt64(megabits) * 1_000_000, delay: .random(in: 0...100_000_000, using: &random))
        shape.queue = .random(in: 0...50_000_000, using: &random)
        var model = LinkModel(shape: shape, seed: seed)
        var now: UInt64 = .random(in: 0...1_000_000_000, using: &random)
        var work: UInt64 = 0
        var drops = 0
        for i in 0..<5000 {
            let bytes = Int.random(in: 60...1514, using: &random)
            // Around the rate: now below it, now above.
            let step = UInt64.random(in: 0...(1600 * byteTime), using: &random)
            now += step
            work -= min(step, work)
            let fate = model.offer(bytes: bytes, at: now)
            if work > shape.queue {
                drops += 1
                #expect(fate == .queueFull, "seed \(seed) frame \(i)")
            } else {
                work += UInt64(bytes) * byteTime
                #expect(fate == .delivered(at: now + work + shape.delay), "seed \(seed) frame \(i)")
            }
            if fate == .lost { return }
        }
        if shape.queue < 100_000 { #expect(drops > 0) }
    }

    @Test func aFloodGetsTheRateAndTheQueueItsDepth() {
        var model = LinkModel(shape: LinkShape(megabits: 100, milliseconds: 10), seed: 1)
        var delivered = 0
        var last: UInt64 = 0
        for i in 0..<200_000 as Range<UInt64> {  // 1 s of 2.4 Gbit/s
            if let time = delivery(model.offer(bytes: Self.frame, at: i * 5000)) {
                delivered += 1
                #expect(time >= last)
                last = time
                #expect(time <= i * 5000 + 100_000_000 + 10_000_000 + 2 * 121_120)
            }
        }
        let megabits = Double(delivered * Self.frame * 8) / 1e6
        #expect(abs(megabits - 110) < 0.5)  // a second of rate and a queue of 100 ms
    }

    @Test func independentLossIsThatFraction() {
        var shape = LinkShape(rate: 0, delay: 0)
        shape.loss = 0.02
        let (lost, bursts) = losses(shape, frames: 200_000)
        let deviation = (200_000 * 0.02 * 0.98).squareRoot()
        #expect(abs(Double(lost) - 4000) < 4 * deviation)
        #expect(abs(Double(lost) / Double(bursts) - 1 / 0.98) < 0.02)
    }

    @Test(arguments: [(0.02, 5.0), (0.1, 10.0), (0.3, 2.0)])
    func burstyLossHasFractionAndLength(_ loss: Double, _ burst: Double) {
        var shape = LinkShape(rate: 0, delay: 0)
        (shape.loss, shape.burst) = (loss, burst)
        let (lost, bursts) = losses(shape, frames: 1_000_000)
        #expect(abs(Double(lost) / 1_000_000 / loss - 1) < 0.06)
        #expect(abs(Double(lost) / Double(bursts) / burst - 1) < 0.04)
    }

    private func losses(_ shape: LinkShape, frames: Int) -> (lost: Int, bursts: Int) {
        var model = LinkModel(shape: shape, seed: 42)
        var (lost, bursts, before) = (0, 0, false)
        for i in 0..<frames {
            let isLost = model.offer(bytes: Self.frame, at: UInt64(i)) == .lost
            if isLost { lost += 1 }
            if isLost && !before { bursts += 1 }
            before = isLost
        }
        return (lost, bursts)
    }

    @Test func allIsLostAtOne() {
        var shape = LinkShape(rate: 0, delay: 0)
        shape.loss = 1
        #expect(losses(shape, frames: 100) == (100, 1))
    }

    @Test func jitterSpreadsEvenlyAndKeepsOrder() {
        var shape = LinkShape(megabits: 1000, milliseconds: 20)
        shape.jitter = 5_000_000
        var model = LinkModel(shape: shape, seed: 3)
        var (last, lowest, highest, sum) = (UInt64(0), Double.infinity, 0.0, 0.0)
        for i in 0..<10_000 as Range<UInt64> {
            let now = i * 20_000_000  // far apart, so that order holds nothing up
            guard let time = delivery(model.offer(bytes: 125, at: now)) else { Issue.record("lost"); return }
            #expect(time >= last)
            last = time
            let delay = Double(time - now) / 1e6
            (lowest, highest, sum) = (min(lowest, delay), max(highest, delay), sum + delay)
        }
        #expect((15.0...15.1).contains(lowest) && (24.9...25.01).contains(highest))
        #expect(abs(sum / 10_000 - 20) < 0.15)
        for i in 0..<10_000 as Range<UInt64> {
            guard let time = delivery(model.offer(bytes: 125, at: 1 << 50 + i * 2000)) else { return }
            #expect(time >= last)
            last = time
        }
    }

    @Test func reorderingHappensOnlyWhenAllowed() {
        var shape = LinkShape(megabits: 1000, milliseconds: 20)
        shape.jitter = 5_000_000
        shape.reorders = true
        var model = LinkModel(shape: shape, seed: 3)
        var (last, overtaken) = (UInt64(0), 0)
        for i in 0..<1000 as Range<UInt64> {
            guard let time = delivery(model.offer(bytes: 125, at: i * 2000)) else {
                Issue.record("lost"); return
            }
            if time < last { overtaken += 1 }
            last = max(last, time)
        }
        #expect(overtaken > 500)
    }

    @Test func copiesAreThatFraction() {
        var shape = LinkShape(rate: 0, delay: 1000)
        shape.duplication = 0.1
        var model = LinkModel(shape: shape, seed: 9)
        var copies = 0
        for i in 0..<10_000 as Range<UInt64> {
            if case .duplicated(let time, let copy) = model.offer(bytes: 100, at: i) {
                copies += 1
                #expect(copy >= time)
            }
        }
        #expect(abs(copies - 1000) < 120)
    }

    @Test func changesCountForTheNextFrame() {
        var model = LinkModel(shape: LinkShape(megabits: 8, milliseconds: 10), seed: 1)
        #expect(model.offer(bytes: 1000, at: 0) == .delivered(at: 11_000_000))
        model.shape.isDown = true
        #expect(model.offer(bytes: 1000, at: 1_000_000) == .down)
        model.shape.isDown = false
        model.shape.rate = 80_000_000
        #expect(model.offer(bytes: 1000, at: 2_000_000) == .delivered(at: 12_100_000))
        model.shape.delay = 0  // order is kept over a shorter delay, too
        #expect(model.offer(bytes: 1000, at: 3_000_000) == .delivered(at: 12_100_000))
    }

    @Test func aSeedRepeatsToTheBit() {
        var shape = LinkShape(megabits: 10, milliseconds: 10)
        (shape.loss, shape.burst, shape.jitter, shape.duplication) = (0.1, 3, 3_000_000, 0.1)
        func run(_ seed: UInt64) -> [LinkModel.Fate] {
            var model = LinkModel(shape: shape, seed: seed)
            return (0..<1000).map { model.offer(bytes: 500, at: $0 * 300_000) }
        }
        #expect(run(7) == run(7))
        #expect(run(7) != run(8))
    }

    @Test func whatIsTooLargeVanishesAndTakesNoTime() {
        var shape = LinkShape(rate: 8_000_000, delay: 10_000_000)
        shape.mtu = 1300
        var model = LinkModel(shape: shape, seed: 1)
        #expect(model.offer(bytes: 1315, at: 0) == .lost)
        #expect(model.offer(bytes: 1314, at: 0) == .delivered(at: 11_314_000))
    }
}
