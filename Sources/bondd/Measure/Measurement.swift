import Commands
import ControlProtocol
import Glibc
import Host
import Runtime
import Settings

/// One step of `bondd bench`: test traffic one way over a path, or over all, for some seconds.
struct Measurement {
    /// What was found out.
    struct Result {
        /// Mbit/s of packets that came out at the other end.
        var rate = 0.0
        /// By path: the share of datagrams lost, 0…1.
        var loss: [String: Double] = [:]
        /// By path: the median round trip in ms.
        var trips: [String: Double] = [:]
        /// Whether nearly all that was lost was sent again in time. Upwards only: only the sender knows.
        var isRepaired = true
    }

    /// Seconds until the rates are found, which do not count.
    static let settling = 1.5
    /// Seconds between two requests; the traffic stops half a second after the last.
    private static let turn = 0.1

    let path: String?
    let isUp: Bool
    let seconds: Double
    let socket: String

    /// Takes that long. Throws `Failure` when the daemon or the server does not answer.
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
                "the server does not answer bondd bench; is it a version without it? Update it, or see bondd status"
            )
        }
        // What is under way arrives, and what was lost becomes known.
        usleep(700_000)
        let last = try Self.ask(path: nil, isUp: nil, socket)
        var result = Result()
        let (from, to) = (count(begin), count(end))
        result.rate = Double(to.bytes &- from.bytes) * 8 / Double(to.time - from.time)
        result.trips = trips.mapValues { $0.sorted()[$0.count / 2] }
        var lost = 0.0
        for path in last.paths {
            // What was lost while the rates were being found was too much for a queue.
            guard let before = begin.paths.first(where: { $0.status.name == path.status.name }) else {
                continue
            }
            let (sent, gone) = isUp ? Self.sent(before, path) : Self.received(before, path)
            lost += gone
            // Some hundred datagrams at the least, or the share means nothing.
            result.loss[path.status.name] = sent >= 200 ? max(gone / sent, 0) : nil
        }
        result.isRepaired = Double(last.unrepaired &- begin.unrepaired) <= lost / 20
        return result
    }

    /// Bytes that came out by a moment of the clock there, in µs.
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

    /// Asks the daemon once.
    static func ask(path: String?, isUp: Bool?, _ socket: String) throws -> BenchStatus {
        try ControlClient.get(.bench(path: path, towardsServer: isUp), path: socket)
    }

    private static var now: Double { Double(Clock.monotonic) / 1e9 }
}
