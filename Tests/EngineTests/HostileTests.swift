import Glibc
import Hostile
import Packet
import Testing

/// A client that lies in every possible way next to honest ones, which are unaffected. A run's lie and all its
/// choices are derived from its seed; `make soak` runs a thousand.
@Suite struct HostileTests {
    /// Forty seeds and those that once revealed a fault, or HOSTILE_COUNT of them from HOSTILE_FIRST on.
    private static let seeds: [UInt64] = {
        guard let first = number("HOSTILE_FIRST") else { return Array(0..<40) + [60] }
        return Array(first..<first + (number("HOSTILE_COUNT") ?? 1))
    }()

    private static func number(_ variable: String) -> UInt64? {
        getenv(variable).flatMap { UInt64(String(cString: $0)) }
    }

    private static let length = Interval.seconds(2)
    private static let worlds: UInt64 = 4
    /// A release build is some ten times as fast as what runs here.
    private static let longestTurn = Interval.milliseconds(50)

    /// The honest clients alone, once for each world.
    private static let alone: [HostileWorld.Outcome] = (0..<worlds).map {
        try! HostileWorld(lie: nil, seed: $0, megabits: 0, length: length, worlds: worlds).run()
    }

    @Test(arguments: seeds) func honestClientsDoNotNotice(_ seed: UInt64) throws {
        let lie = Lie.allCases[Int(seed) % Lie.allCases.count]
        let megabits = [4.0, 1, 8, 2][Int(seed / UInt64(Lie.allCases.count)) % 4]
        let name = "seed \(seed), \(lie.rawValue) at \(megabits) Mbit/s"
        // A trap leaves no other trace of its seed.
        Array("\(name)\n".utf8).withUnsafeBytes { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
        let before = Self.alone[Int(seed % Self.worlds)]
        let run = try HostileWorld(
            lie: lie, seed: seed, megabits: megabits, length: Self.length, worlds: Self.worlds)
        let after = run.run()
        print("\(name): \(after.summary)\n    without it: \(before.summary)")
        #expect(after.faults.isEmpty, "\(name): \(after.faults)")
        #expect(after.hostile.sessions > 0, "\(name): it never had a session")
        #expect(
            after.delivered * 100 >= before.delivered * 95,
            "\(name): \(after.delivered) of \(before.delivered)")
        #expect(after.ping.mean <= before.ping.mean + .milliseconds(10), "\(name)")
        #expect(after.ping.p95 <= before.ping.p95 + .milliseconds(10), "\(name)")
        #expect(after.longestTurn <= Self.longestTurn, "\(name): \(after.longestTurn.milliseconds) ms")
        // A share of the slab, regardless of the honest clients' usage.
        #expect(after.buffers <= before.buffers + HostileWorld.pool / 2, "\(name)")
    }
}
