import LinkModel
import Packet
import Testing

@testable import FEC

@Suite struct CodingTests {
    /// A pool, both ends of the code, and symbols in and out of slots.
    struct Bench: ~Copyable {
        static let prefix = 4
        var pool = PacketPool(capacity: 4096)
        var encoder = Encoder(prefix: prefix)
        var decoder = Decoder(prefix: prefix)
        var mayGrow = true

        mutating func slot(_ symbol: [UInt8]) -> Slot {
            let slot = pool.reserve()
            pool.setLength(symbol.count - Self.prefix, of: slot)
            pool.packet(in: slot, withPrefix: Self.prefix).copyBytes(from: symbol)
            return slot
        }

        func bytes(_ slot: Slot) -> [UInt8] { [UInt8](pool.packet(in: slot, withPrefix: Self.prefix)) }

        mutating func encode(_ symbol: [UInt8], _ sequence: UInt64) {
            let slot = slot(symbol)
            encoder.add(slot, sequence: sequence, pool: &pool)
            pool.release(slot)
        }

        mutating func takeRepair() -> (sum: [UInt8], window: EncodingWindow)? {
            guard let repair = encoder.takeOldest() else { return nil }
            defer { pool.release(repair.slot) }
            return (bytes(repair.slot), repair.window)
        }

        mutating func note(_ symbol: [UInt8], _ sequence: UInt64) {
            let slot = slot(symbol)
            decoder.note(slot, sequence: sequence, mayGrow: mayGrow, pool: &pool)
            pool.release(slot)
        }

        mutating func take(_ sum: [UInt8], _ window: EncodingWindow) {
            sum.withUnsafeBytes { decoder.take($0, of: window, pool: &pool) }
        }

        mutating func recovered() -> [UInt64: [UInt8]] {
            var found: [UInt64: [UInt8]] = [:]
            while let next = decoder.popRecovered() {
                found[next.sequence] = bytes(next.slot)
                pool.release(next.slot)
            }
            return found
        }
    }

    private func symbol(_ random: inout SeededGenerator) -> [UInt8] {
        let length = Bool.random(using: &random) ? 1404 : Int.random(in: 5...2020, using: &random)
        return (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// A repair symbol is the linear combination that it claims to be, whenever it was begun and taken.
    @Test(arguments: Array(UInt64(1)...5)) func sumsAreWhatTheySay(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bench = Bench()
        var symbols: [UInt64: [UInt8]] = [:]
        var repairs = 0
        for sequence in UInt64(1000)..<1200 {
            if Int.random(in: 0..<8, using: &random) == 0 {
                _ = bench.encoder.begin(at: sequence, pool: &bench.pool)
            }
            let symbol = symbol(&random)
            symbols[sequence] = symbol
            bench.encode(symbol, sequence)
            if Int.random(in: 0..<12, using: &random) == 0, let (sum, window) = bench.takeRepair() {
                #expect(window.end == sequence + 1 && sum == Oracle().sum(window, symbols))
                repairs += 1
            }
        }
        #expect(repairs > 3 && bench.encoder.open <= Encoder.maximumOpen)
        bench.encoder.removeAll(pool: &bench.pool)
        #expect(bench.pool.inUse == 0)
    }

    /// A sum that can no longer be sent is dropped, and so is one with a missing packet.
    @Test func sumsAreBounded() {
        var bench = Bench()
        for _ in 0..<20 { _ = bench.encoder.begin(at: 0, pool: &bench.pool) }
        #expect(bench.encoder.open == Encoder.maximumOpen && bench.pool.inUse == Encoder.maximumOpen)
        for sequence in 0..<UInt64(EncodingWindow.longest) { bench.encode([1, 2, 3, 4, 5], sequence) }
        #expect(bench.encoder.oldestCount == EncodingWindow.longest)
        bench.encode([1, 2, 3, 4, 5], UInt64(EncodingWindow.longest))
        #expect(bench.encoder.open == 0 && bench.pool.inUse == 0)
        _ = bench.encoder.begin(at: 500, pool: &bench.pool)
        bench.encode([1, 2, 3, 4, 5], 501)
        #expect(bench.encoder.open == 0 && bench.pool.inUse == 0)
    }

    /// Loss, duplicates, any order: recovered packets are correct to the byte, and all that can be recovered are.
    @Test(arguments: Array(UInt64(1)...40)) func putsTogetherAllThatCanBe(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bench = Bench()
        var oracle = Oracle()
        var symbols: [UInt64: [UInt8]] = [:]
        let loss = [0.02, 0.1, 0.2][Int(seed % 3)]
        let interval = [8, 5, 3][Int(seed % 3)]
        let disorder = [0, 3, 30][Int(seed / 3 % 3)]
        // A packet or symbol in flight.
        enum Parcel {
            case source(UInt64)
            case repair([UInt8], EncodingWindow)
        }
        var underWay: [(due: Int, parcel: Parcel)] = []
        var lost = 0
        var found = 0
        var isComplete = true
        var compared = 0
        bench.take([1, 2, 3, 4, 5], EncodingWindow(first: 0, count: 1, seed: 0))
        // The sum of one packet is a copy of it.
        let copy = bench.recovered()
        #expect(copy.keys.first == 0)
        oracle.note(copy[0] ?? [], 0)
        for step in 1...400 {
            let sequence = UInt64(step)
            if step % interval == 1 { _ = bench.encoder.begin(at: sequence, pool: &bench.pool) }
            symbols[sequence] = (0..<Int.random(in: 5...40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            bench.encode(symbols[sequence]!, sequence)
            var leaving: [Parcel] = []
            if Double.random(in: 0..<1, using: &random) < loss {
                lost += 1
            } else {
                leaving.append(.source(sequence))
            }
            if step % interval == 0, bench.encoder.open >= 4, let (sum, window) = bench.takeRepair(),
                Double.random(in: 0..<1, using: &random) >= loss
            {
                leaving.append(.repair(sum, window))
            }
            for parcel in leaving {
                underWay.append((step + Int.random(in: 0...disorder, using: &random), parcel))
                if Int.random(in: 0..<20, using: &random) == 0 { underWay.append((step + disorder, parcel)) }
            }
            for (_, parcel) in underWay.filter({ $0.due <= step }) {
                switch parcel {
                case .source(let sequence):
                    bench.note(symbols[sequence]!, sequence)
                    oracle.note(symbols[sequence]!, sequence)
                case .repair(let sum, let window):
                    bench.take(sum, window)
                    oracle.take(sum, window)
                }
                let (unknowns, determined) = oracle.solution()
                let recovered = bench.recovered()
                // Dropped copies are no longer known to it.
                if bench.decoder.waiting == Decoder.maximumWaiting { isComplete = false }
                let isSmall = max(unknowns, bench.decoder.waiting) <= LinearSystem.size
                if isComplete && isSmall {
                    #expect(Set(recovered.keys) == determined, "seed \(seed), step \(step)")
                } else {
                    #expect(Set(recovered.keys).isSubset(of: determined))
                }
                compared += isComplete && !recovered.isEmpty ? 1 : 0
                for (sequence, symbol) in recovered {
                    let own = symbols[sequence]!
                    #expect(symbol.starts(with: own) && symbol[own.count...].allSatisfy { $0 == 0 })
                    oracle.note(own, sequence)
                }
                found += recovered.count
            }
            underWay.removeAll { $0.due <= step }
        }
        #expect(lost > 0 && found > lost / 4 && compared > 0, "\(found) of \(lost), \(compared) compared")
        bench.encoder.removeAll(pool: &bench.pool)
        bench.decoder.removeAll(pool: &bench.pool)
        #expect(bench.pool.inUse == 0)
    }

    /// A long stream with twice as many repair symbols as losses: almost nothing stays lost.
    @Test func aStreamWithEnoughRepairsStaysWhole() {
        var random = SeededGenerator(seed: 7)
        var bench = Bench()
        var missing: Set<UInt64> = []
        var lost = 0
        for sequence in UInt64(0)..<20_000 {
            if sequence % 20 == 0 {
                if bench.encoder.open >= 6, let (sum, window) = bench.takeRepair(),
                    Double.random(in: 0..<1, using: &random) >= 0.02
                {
                    bench.take(sum, window)
                }
                _ = bench.encoder.begin(at: sequence, pool: &bench.pool)
            }
            let symbol = (0..<24).map { UInt8(truncatingIfNeeded: sequence &* 31 >> UInt64($0 % 8)) }
            bench.encode(symbol, sequence)
            if Double.random(in: 0..<1, using: &random) < 0.02 {
                if sequence > 500 { missing.insert(sequence) }
                lost += 1
            } else {
                bench.note(symbol, sequence)
            }
            for (found, bytes) in bench.recovered() {
                missing.remove(found)
                #expect(bytes == (0..<24).map { UInt8(truncatingIfNeeded: found &* 31 >> UInt64($0 % 8)) })
            }
        }
        #expect(lost > 300 && missing.count < 20, "\(missing.count) of \(lost)")
    }

    /// A peer that sends anything: no trap, no more memory than half of the pool, and no more work than it has
    /// earned.
    @Test(arguments: Array(UInt64(1)...4)) func nonsenseIsBounded(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bench = Bench()
        bench.pool = PacketPool(capacity: 512)
        var base: UInt64 = 0
        for _ in 0..<3000 {
            if Int.random(in: 0..<200, using: &random) == 0 {
                base = [random.next(), random.next() >> 2, 1 << 62 - 5, .max - 3, 0].randomElement(
                    using: &random)!
            }
            let sequence = base &+ UInt64.random(in: 0..<1200, using: &random)
            if Bool.random(using: &random) {
                bench.note(symbol(&random), sequence)
            } else {
                let length = Int.random(in: 0...2100, using: &random)
                bench.take(
                    [UInt8](repeating: 7, count: length),
                    EncodingWindow(
                        first: sequence, count: Int.random(in: 0...255, using: &random),
                        seed: UInt8.random(in: 0...255, using: &random)))
            }
            #expect(bench.pool.inUse <= 256 && bench.decoder.credit >= 0)
            _ = bench.recovered()
            if Int.random(in: 0..<1000, using: &random) == 0 { bench.decoder.removeAll(pool: &bench.pool) }
        }
        bench.decoder.removeAll(pool: &bench.pool)
        #expect(bench.pool.inUse == 0)
    }

    /// Each repair symbol of a whole window makes the receiver multiply 239 symbols: that has to be earned.
    @Test func workHasToBeEarned() {
        var bench = Bench()
        let symbol = [UInt8](repeating: 7, count: 304)
        var earned = Decoder.largestCredit
        func arrived(_ size: Int) { earned += (size + Decoder.datagramOverhead) * Decoder.allowance }
        bench.take(symbol, EncodingWindow(first: 0, count: 1, seed: 0))
        _ = bench.recovered()
        for sequence in UInt64(1)...1000 {
            bench.note(symbol, sequence)
            arrived(symbol.count)
        }
        var found = 0
        for i in UInt64(0)..<500 {
            bench.note(symbol, 1001 + i * 2)
            bench.take(symbol, EncodingWindow(first: 1002 + i * 2 - 239, count: 240, seed: 1))
            arrived(2 * symbol.count + Decoder.datagramOverhead)
            found += bench.recovered().count
        }
        #expect(found > 10 && found < 500, "\(found)")
        #expect(bench.decoder.work <= UInt64(earned))
    }

    /// Equations with more unknowns than equations are not attempted, however many packets arrive; and those
    /// that exceed the work budget are attempted only once it suffices.
    @Test func whatCannotBeSolvedCostsNothing() {
        var bench = Bench()
        let symbol = [UInt8](repeating: 7, count: 104)
        for sequence in UInt64(0)..<100 {
            bench.note(symbol, sequence)
            if sequence == 0 { bench.take(symbol, EncodingWindow(first: 0, count: 1, seed: 0)) }
        }
        _ = bench.recovered()
        // 15 equations over the same 16 unknowns, none of which ever arrives.
        for seed in UInt8(1)...15 { bench.take(symbol, EncodingWindow(first: 200, count: 16, seed: seed)) }
        #expect(bench.decoder.waiting == 15)
        let before = bench.decoder.work
        for sequence in UInt64(300)..<1100 { bench.note(symbol, sequence) }
        #expect(bench.decoder.waiting == 15 && bench.decoder.work == before)
        // The 16th makes them solvable: one attempt.
        bench.take(symbol, EncodingWindow(first: 200, count: 16, seed: 16))
        #expect(bench.recovered().count == 16)
        #expect(bench.decoder.work > before && bench.decoder.waiting == 0)
    }

    /// Keeping equations up to date also uses up credit.
    @Test func largeSymbolsAreNotKeptUpToDateForNothing() {
        var bench = Bench()
        let large = [UInt8](repeating: 3, count: 2020)
        let small = [UInt8](repeating: 3, count: 5)
        var earned = Decoder.largestCredit
        bench.take(small, EncodingWindow(first: 0, count: 1, seed: 0))
        _ = bench.recovered()
        for round in UInt64(0)..<400 {
            let first = 10 + round * 40
            for seed in UInt8(0)..<32 {
                bench.take(large, EncodingWindow(first: first, count: 40, seed: seed))
                earned += (large.count + Decoder.datagramOverhead) * Decoder.allowance
            }
            for sequence in first..<first + 40 {
                bench.note(small, sequence)
                earned += (small.count + Decoder.datagramOverhead) * Decoder.allowance
                for (_, bytes) in bench.recovered() where bytes.isEmpty { Issue.record("an empty packet") }
            }
        }
        #expect(bench.decoder.work <= UInt64(earned) && bench.decoder.waiting <= Decoder.maximumWaiting)
    }

    /// Without memory for more the oldest copies are dropped, two for each new one, and recovered packets are
    /// still correct.
    @Test func withoutMemoryTheOldestCopiesGo() {
        var random = SeededGenerator(seed: 3)
        var bench = Bench()
        bench.take([1, 2, 3, 4, 5], EncodingWindow(first: 0, count: 1, seed: 0))
        _ = bench.recovered()
        var wrong = 0
        var found = 0
        for sequence in UInt64(1)..<3000 {
            if sequence % 20 == 0 {
                if bench.encoder.open >= 6, let (sum, window) = bench.takeRepair() { bench.take(sum, window) }
                _ = bench.encoder.begin(at: sequence, pool: &bench.pool)
            }
            let symbol = (0..<24).map { UInt8(truncatingIfNeeded: sequence &* 31 >> UInt64($0 % 8)) }
            bench.encode(symbol, sequence)
            bench.mayGrow = sequence < 1000 || Int.random(in: 0..<3, using: &random) > 0
            if Double.random(in: 0..<1, using: &random) >= 0.02 { bench.note(symbol, sequence) }
            for (sequence, bytes) in bench.recovered() {
                let right = (0..<24).map { UInt8(truncatingIfNeeded: sequence &* 31 >> UInt64($0 % 8)) }
                if bytes != right { wrong += 1 }
                found += 1
            }
        }
        #expect(wrong == 0 && found > 20, "\(found) found")
        bench.mayGrow = false
        for sequence in UInt64(3000)..<5000 { bench.note([1, 2, 3, 4, 5], sequence) }
        #expect(bench.decoder.held < 40, "\(bench.decoder.held) are left")
        bench.encoder.removeAll(pool: &bench.pool)
        bench.decoder.removeAll(pool: &bench.pool)
        #expect(bench.pool.inUse == 0)
    }

    /// Windows that begin below the remembered range extend it, up to a quarter of the pool.
    @Test func remembersMoreWhenWindowsBeginLower() {
        var bench = Bench()
        bench.pool = PacketPool(capacity: 16384)
        bench.take([1, 2, 3, 4, 5], EncodingWindow(first: 0, count: 1, seed: 0))
        _ = bench.recovered()
        for sequence in UInt64(1)..<3000 { bench.note([1, 2, 3, 4, 5], sequence) }
        #expect(bench.decoder.held == 2048)
        bench.take([1, 2, 3, 4, 5], EncodingWindow(first: 5, count: 200, seed: 1))
        for sequence in UInt64(3000)..<20_000 {
            bench.note([1, 2, 3, 4, 5], sequence)
            if sequence % 100 == 0 && sequence > 9000 {
                bench.take([1, 2, 3, 4, 5], EncodingWindow(first: sequence - 9000, count: 20, seed: 1))
            }
        }
        #expect(bench.decoder.held == 4096, "a quarter of the pool")
        bench.decoder.removeAll(pool: &bench.pool)
        #expect(bench.pool.inUse == 0)
    }
}
