import Commands
import ControlProtocol
import Glibc
import Host
import Runtime
import Settings

/// One step of `bondd bench`: test traffic in one direction over one path, or over all, for some seconds.
struct Measurement {
    /// Outcome of a measurement.
    struct Result {
        /// Mbit/s of packets that arrived at the other end.
        var rate = 0.0
        /// Loss ratio of datagrams by path, 0…1.
        var loss: [String: Double] = [:]
        /// Median round trip by path, in ms.
        var trips: [String: Double] = [:]
        /// Whether nearly all lost packets were retransmitted in time. Upload only, because only the sender
        /// knows.
        var isRepaired = true
    }

    /// Seconds until the rates have been found, which do not count.
    static let settling = 1.5
    /// Seconds between two requests; the traffic stops half a second after the last one.
    private static let turn = 0.1

    let path: String?
    let isUp: Bool
    let seconds: Double
    let socket: String

    /// Blocks for the whole measurement. Throws `Failure` if the daemon or the server does not answer.
    func run() throws -> Result {
        let start = Self.now
        let first = try ask()
        var (begin, end): (BenchStatus?, BenchStatus?)
        var trips: [String: [Double]] = [:]
        while Self.now - start < Self.settling + seconds {
            usleep(UInt32(Self.turn * 1e6))
            let status = try ask()
            guard Self.now - start >= Self.settling, count(status).time > count(first).time else { continue }
            if begin == nil { begin = status }
            end = status
            for path in status.paths { trips[path.status.name, default: []].append(path.status.rtt) }
        }
        guard let begin, let end, count(end).time > count(begin).time else {
            throw Failure(
                "the server does not answer bondd bench; update it if its version lacks that, or see bondd status"
            )
        }
        // Data in flight arrives, and its losses become known.
        usleep(700_000)
        let last = try Self.ask(path: nil, isUp: nil, socket)
        var result = Result()
        let (from, to) = (count(begin), count(end))
        result.rate = Double(to.bytes &- from.bytes) * 8 / Double(to.time - from.time)
        result.trips = trips.mapValues { $0.sorted()[$0.count / 2] }
        var lost = 0.0
        for path in last.paths {
            // Losses while the rates were being found only overflowed a queue, so they do not count.
            guard let before = begin.paths.first(where: { $0.status.name == path.status.name }) else {
                continue
            }
            let (sent, gone) = isUp ? Self.sent(before, path) : Self.received(before, path)
            lost += gone
            // With fewer than about two hundred datagrams, the ratio means nothing.
            result.loss[path.status.name] = sent >= 200 ? max(gone / sent, 0) : nil
        }
        result.isRepaired = Double(last.unrepaired &- begin.unrepaired) <= lost / 20
        return result
    }

    /// Bytes that had arrived by a moment of the other end's clock, in µs.
    private func count(_ status: BenchStatus) -> (time: UInt64, bytes: UInt64) {
        isUp ? (status.serverClock, status.serverReceived) : (status.clock, status.received)
    }

    private static func sent(_ a: BenchStatus.Path, _ b: BenchStatus.Path) -> (Double, Double) {
        (
            Double(b.status.sentPackets) - Double(a.status.sentPackets),
            Double(b.status.lost) - Double(a.status.lost)
        )
    }

    private static func received(_ a: BenchStatus.Path, _ b: BenchStatus.Path) -> (Double, Double) {
        let expected = Double(b.expected) - Double(a.expected)
        return (expected, expected - (Double(b.status.receivedPackets) - Double(a.status.receivedPackets)))
    }

    private func ask() throws -> BenchStatus { try Self.ask(path: path, isUp: isUp, socket) }

    /// Sends one request to the daemon.
    static func ask(path: String?, isUp: Bool?, _ socket: String) throws -> BenchStatus {
        try ControlClient.get(.bench(path: path, towardsServer: isUp), path: socket)
    }

    private static var now: Double { Double(Clock.monotonic) / 1e9 }
}
