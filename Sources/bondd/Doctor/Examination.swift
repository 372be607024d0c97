import ControlProtocol
import Daemon
import Glibc
import Packet
import Settings

/// The facts that `bondd doctor` judges by, and its deadline.
struct Examination {
    let file: String
    let stateDirectory: String
    let socket: String
    /// `nil` if the file is missing or invalid.
    let configuration: Configuration?
    /// Status of the running daemon; `nil` if there is none.
    let status: Status?
    let facts: HostFacts
    let deadline: Instant

    var isRoot: Bool { geteuid() == 0 }

    /// Milliseconds until the deadline, at most `milliseconds`.
    func time(atMost milliseconds: Int64) -> Int64 {
        let left = deadline - Instant.now
        return max(0, min(milliseconds, Int64(left.milliseconds)))
    }

    /// Milliseconds for one part of a report: the checks leave three seconds.
    var reportTime: Int64 { time(atMost: 700) + 200 }

    /// The tunnel's interface.
    var tunnel: String { configuration?.tunnel.interface ?? status?.interface ?? "bond0" }

    var client: Configuration.Client? {
        if case .client(let client)? = configuration?.role { client } else { nil }
    }

    var server: Configuration.Server? {
        if case .server(let server)? = configuration?.role { server } else { nil }
    }
}

/// One check of `bondd doctor`. Gathering and judging are separate, so that judgement is tested without a
/// host.
protocol HostCheck: Sendable {
    func findings(_ examination: Examination) -> [Finding]
}
