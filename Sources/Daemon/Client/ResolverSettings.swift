import Host
import Packet
import Runtime

/// The name servers that bondd sets on its host: desired state that is compared with the host's at times, and set
/// again if another program has removed it. Both may run programs that take seconds, so a writer does so on its
/// own thread, and results come later.
struct ResolverSettings {
    /// Programs that fight over the name servers must not do so all the time.
    private static let shortestPause = Interval.seconds(10)
    private static let longestPause = Interval.seconds(300)

    private let writer: NameServerWriter
    /// The servers that are to be set; empty to leave the host's own.
    private(set) var desired: [IPAddress] = []
    /// How they were set; nil while they are not.
    private var way: NameServers.Way?
    /// Why they could not be set.
    private var problem = Notices()
    private var nextCheck = Instant.zero
    private var pause = shortestPause

    init(_ host: NameServers) { writer = NameServerWriter(host) }

    var problems: [String] { problem.list }

    /// Begins to set these servers; empty restores the host's own.
    mutating func apply(_ servers: [IPAddress]) {
        guard servers != desired else { return }
        desired = servers
        writer.begin(servers)
    }

    /// Begins to compare the host's servers with the desired ones, or to set those that could not be set, if that
    /// is due.
    /// - Returns: whether it was due.
    mutating func check(now: Instant) -> Bool {
        guard now >= nextCheck else { return false }
        nextCheck = now + pause
        if !problem.list.isEmpty {
            writer.begin(desired)
        } else if let way {
            writer.check(desired, way)
        }
        return true
    }

    /// Takes the results since the last call, and begins to set servers again that have been removed.
    mutating func takeOutcomes(_ log: Log, now: Instant) {
        for outcome in writer.takeOutcomes() {
            switch outcome {
            case .set(let servers, let way):
                self.way = way
                problem = Notices()
                nextCheck = now + pause
                let list = servers.map(\.description).joined(separator: " ")
                log(.info, "the name servers are set", ["servers": list, "by": way.rawValue])
            case .restored:
                (way, problem) = (nil, Notices())
                log(.info, "the host's own name servers are restored")
            case .failed(let error): problem.replace(with: error.description, log)
            case .removed:
                guard let way else { continue }
                log(
                    .info, "another program has removed the tunnel's name servers; they are set again",
                    ["from": way.rawValue])
                pause = min(Self.longestPause, pause * 2)
                self.way = nil
                writer.begin(desired)
            }
        }
    }

    /// Restores the host's own servers, and waits for it.
    mutating func remove(_ log: Log) {
        guard !desired.isEmpty || way != nil else { return }
        desired = []
        writer.begin([])
        writer.finish()
        takeOutcomes(log, now: .now)
    }
}
