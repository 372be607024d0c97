import Lab
import TestSupport
import Testing

@testable import Tun

/// A missing or unused offload costs only speed.
@Suite struct OffloadTests {
    /// Each kernel supports some of the offloads: those it refuses are left out, and no others.
    @Test func eachAbsenceIsFoundForItself() {
        for known in (0..<16).map({ TunOffloads(rawValue: $0) }) {
            for wanted in (0..<16).map({ TunOffloads(rawValue: $0) }) {
                var set: UInt32 = 0
                let found = TunOffloads.probe(wanted) { flags in
                    // Like tun_net's set_offload: any unknown flag refuses all, and all need checksums.
                    guard flags & ~(known.kernelFlags | 8) == 0, flags & 1 == 1 else { return false }
                    set = flags
                    return true
                }
                let both = known.intersection(wanted)
                #expect(found == (both.contains(.checksum) ? both : []), "\(known) known, \(wanted) wanted")
                #expect(set == found.kernelFlags, "what the kernel does is what we believe it does")
            }
        }
    }

    @Test func theWordsOfTheStatus() {
        #expect(TunOffloads.all.description == "csum tso4 tso6 uso")
        #expect(TunOffloads([.checksum, .tcp6]).description == "csum tso6")
        #expect(TunOffloads([]).description == "none")
    }

    @Suite(.serialized, .enabled(if: OwnNetwork.isPermitted, "needs root for network namespaces"))
    struct Traffic {
        static let pairs: [(TunOffloads, TunOffloads)] = [
            (.all, []), ([.checksum], .all), ([.checksum, .tcp4], [.checksum, .tcp6]),
            ([.checksum, .tcp4, .tcp6], [.checksum]),
        ]

        /// TCP of both families and datagrams pass between any two ends, whatever their offloads.
        @Test(arguments: pairs) func passesBetweenUnequalEnds(_ first: TunOffloads, _ second: TunOffloads)
            throws
        {
            let relay = try Relay(first, second)
            for (place, wanted) in [first, second].enumerated() {
                #expect(relay.ends[place].device.offloads.isSubset(of: wanted))
            }
            for (address, offload) in [("10.77.0.2", TunOffloads.tcp4), ("fd77::2", .tcp6)] {
                for end in relay.ends { end.mostPackets = 0 }
                let plan = TCPFlow.Plan(to: address, seconds: 1)
                let run = try TCPFlow.start(from: relay.namespaces[0], to: relay.namespaces[1], plan)
                relay.run(seconds: 1.7)
                let flow = try run.finish()
                #expect(flow.megabits > 1, "\(first) to \(second) over \(address)")
                let sender = relay.ends[0]
                #expect(
                    sender.device.offloads.contains(offload) == (sender.mostPackets > 1),
                    "\(sender.mostPackets)")
            }
            let ping = try PingRun.start(from: relay.namespaces[0], to: "10.77.0.2", count: 20, size: 4000)
            relay.run(seconds: 0.6)
            #expect(ping.finish().lost == 0)
            #expect(relay.ends.allSatisfy { $0.refused == 0 })
        }
    }
}
