import Lab
import LinkModel
import Packet
import Testing

@testable import Engine

@Suite struct TimerQueueTests {
    @Test(arguments: Array(UInt64(1)...10))
    func givesWhatADictionaryGives(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var timers = TimerQueue()
        var oracle: [Int: Instant] = [:]
        for round in 0..<5000 {
            let session = Int.random(in: 0..<60, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0...6:
                let deadline = Instant(nanoseconds: UInt64.random(in: 0..<1000, using: &random))
                timers.set(session, to: deadline)
                oracle[session] = deadline
            case 7:
                timers.set(session, to: .never)
                oracle[session] = nil
            default:
                let now = Instant(nanoseconds: UInt64.random(in: 0..<1000, using: &random))
                let due = timers.due(now)
                let earliest = oracle.values.min()
                if let due {
                    try #require(oracle[due] == earliest && earliest! <= now, "seed \(seed), round \(round)")
                    timers.set(due, to: .never)
                    oracle[due] = nil
                } else {
                    try #require(earliest.map { $0 > now } ?? true, "seed \(seed), round \(round)")
                }
            }
            try #require(timers.next == oracle.values.min() ?? .never, "seed \(seed), round \(round)")
        }
    }
}
