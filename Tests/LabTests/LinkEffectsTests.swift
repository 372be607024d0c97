import Testing

@testable import LinkModel

@Suite("Links as people have them") struct LinkEffectsTests {
    private func times(_ fates: [LinkModel.Fate]) -> [UInt64] {
        fates.compactMap { if case .delivered(let time) = $0 { time } else { nil } }
    }

    @Test func aPolicerPassesItsRateAndItsBucket() {
        var shape = LinkShape(megabits: 100, milliseconds: 1)
        shape.policer = Policer(rate: 8_000_000, burst: 50_000)
        var model = LinkModel(shape: shape, seed: 1)
        // 2 s at 40 Mbit/s: the bucket's contents, and 1 MB a second.
        let fates = (0..<10_000).map { model.offer(bytes: 1000, at: $0 * 200_000) }
        #expect(fates.prefix(50).allSatisfy { $0 != .policed })
        #expect(abs(times(fates).count - 2050) <= 1)
        #expect(fates.count { $0 == .policed } == 10_000 - times(fates).count)
        // Frames that pass do not queue: the line alone delays them.
        #expect(model.offer(bytes: 1000, at: 3_000_000_000) == .delivered(at: 3_001_080_000))
    }

    @Test func lagIsNeverEarlyAndKeepsOrder() {
        var shape = LinkShape(megabits: 1000, milliseconds: 20)
        shape.lag = 30_000_000
        var model = LinkModel(shape: shape, seed: 2)
        let delays = (0..<5000 as Range<UInt64>).map { i -> Double in
            let now = i * 100_000_000
            return Double(times([model.offer(bytes: 125, at: now)])[0] - now) / 1e6
        }
        #expect(delays.min()! >= 20 && delays.min()! < 20.1 && delays.max()! > 49.9 && delays.max()! < 50.1)
        #expect(abs(delays.reduce(0, +) / 5000 - 35) < 0.6)
    }

    @Test func grantsGatherFramesAndKeepTheRate() {
        var shape = LinkShape(megabits: 12, milliseconds: 10)
        shape.grants = 5_000_000...15_000_000
        shape.queue = 2_000_000_000
        var model = LinkModel(shape: shape, seed: 3)
        let arrivals = times((0..<2000).map { model.offer(bytes: 1500, at: $0 * 1_000_000) })
        #expect(arrivals.count == 2000 && zip(arrivals, arrivals.dropFirst()).allSatisfy { $0 <= $1 })
        let gaps = zip(arrivals, arrivals.dropFirst()).map { $1 - $0 }.filter { $0 > 0 }
        #expect(gaps.allSatisfy { (5_000_000...15_000_000).contains($0) })
        #expect(gaps.contains { $0 < 6_000_000 } && gaps.contains { $0 > 14_000_000 })
        // A frame per millisecond: ten in a group on average, and none is held longer than the interval of
        // grants.
        #expect((180...220).contains(gaps.count))
        #expect(zip(arrivals, 1...).allSatisfy { $0 <= UInt64($1) * 1_000_000 + 25_000_000 })
    }

    @Test func aHandoverHoldsAndAnOutageLoses() {
        var shape = LinkShape(megabits: 8, milliseconds: 10)
        shape.queue = 1_000_000_000
        shape.handover = Recurrence(length: 100_000_000, every: 1_000_000_000)
        var held = LinkModel(shape: shape, seed: 1)
        held.restart(at: 500_000_000)
        func fate(_ model: inout LinkModel, _ milliseconds: UInt64) -> LinkModel.Fate {
            model.offer(bytes: 1000, at: milliseconds * 1_000_000)
        }
        // Before the origin, time counts from the end of a period: one ends from 0.4 to 0.5 s.
        #expect(fate(&held, 450) == .delivered(at: 511_000_000))
        #expect(fate(&held, 1399) == .delivered(at: 1_410_000_000))
        #expect(fate(&held, 1400) == .delivered(at: 1_511_000_000))
        #expect(fate(&held, 1450) == .delivered(at: 1_512_000_000))

        (shape.handover, shape.outage) = (nil, shape.handover)
        var lost = LinkModel(shape: shape, seed: 1)
        lost.restart(at: 500_000_000)
        #expect(fate(&lost, 1300) == .delivered(at: 1_311_000_000))
        #expect(fate(&lost, 1395) == .down)  // it would arrive in the outage
        #expect(fate(&lost, 1450) == .down)
        #expect(fate(&lost, 1500) == .delivered(at: 1_511_000_000))
    }

    /// Whatever a link does, it creates no bytes, keeps the order unless configured otherwise, and never
    /// exceeds its rate.
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func bytesAreConservedInOrder(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        func chance() -> Bool { Bool.random(using: &random) }
        func time(_ most: UInt64) -> UInt64 { .random(in: 1...most, using: &random) * 1_000_000 }
        var shape = LinkShape(rate: .random(in: 64_000...50_000_000, using: &random), delay: time(100))
        if chance() {
            shape.trace =
                chance()
                ? .cellular(mean: 10, volatility: 8, seconds: 3, seed: seed)
                : .drive(mean: 10, spread: 0.5, memory: 0.5, outage: (0.3, 2), seconds: 3, seed: seed)
        }
        shape.queue = time(500)
        if chance() { shape.queueBytes = .random(in: 1500...200_000, using: &random) }
        if chance() { shape.jitter = time(20) }
        if chance() { shape.lag = time(30) }
        if chance() { shape.grants = 2_000_000...time(20) + 2_000_000 }
        if chance() { shape.loss = 0.05 }
        if chance() { shape.policer = Policer(rate: 5_000_000, burst: 20_000) }
        if chance() { shape.handover = Recurrence(length: time(200), every: 700_000_000) }
        if chance() { shape.outage = Recurrence(length: time(200), every: 900_000_000) }
        var model = LinkModel(shape: shape, seed: seed)
        let origin = UInt64.random(in: 0...2_000_000_000, using: &random)
        model.restart(at: origin)
        var (now, last): (UInt64, UInt64) = (0, 0)
        var arrivals: [(time: UInt64, bytes: Int)] = []
        for _ in 0..<20_000 {
            now += .random(in: 0...500_000, using: &random)
            let bytes = Int.random(in: 60...1514, using: &random)
            switch model.offer(bytes: bytes, at: now) {
            case .delivered(let time):
                #expect(time >= last && time >= now)
                last = time
                arrivals.append((time, bytes))
            case .duplicated: Issue.record("nothing was to be doubled")
            case .queueFull, .policed, .lost, .down: break
            }
        }
        guard let first = arrivals.first, !arrivals.isEmpty else { return }
        let volume = Double(arrivals.reduce(0) { $0 + $1.bytes } * 8)
        // The link's capacity until the last departure, with one opportunity and the first frame as a margin.
        let most = model.bits(from: 0, to: last - shape.delay) + 12_000 + Double(first.bytes * 8)
        #expect(volume <= most, "seed \(seed)")
    }
}
