import Synchronization

/// A client of a `Tunnel`.
public final class TunnelClient: Sendable {
    /// Its daemon.
    public let bondd: Bondd
    /// Its emulated uplinks; empty if they are veth pairs.
    public let links: [EmulatedLink]
    /// Its number in the tunnel, from 0.
    public let number: Int
    private let state: Mutex<ClientFile>

    init(bondd: Bondd, links: [EmulatedLink], number: Int, file: ClientFile) {
        self.bondd = bondd
        self.links = links
        self.number = number
        state = Mutex(file)
    }

    /// The namespace in which it runs.
    public var namespace: Namespace { bondd.namespace }
    /// Its IPv4 address in the tunnel.
    public var address: String { "10.77.0.\(2 + number)" }
    /// Its IPv6 address in the tunnel.
    public var address6: String { "fd77::\(2 + number)" }
    /// Its configuration.
    public var file: ClientFile { state.withLock { $0 } }

    /// Changes its configuration and writes the file; a running client reads it after SIGHUP. Throws `system`.
    public func change(_ body: (inout ClientFile) -> Void) throws(LabError) {
        let text = state.withLock { file in
            body(&file)
            return file.text
        }
        try bondd.configure(text)
    }

    /// Waits until all its paths except those with role `never` are up. Throws `deadline` or `failed`.
    @discardableResult public func waitUntilWhole(seconds: Double = 5) throws(LabError) -> TunnelStatus {
        let count = file.paths.count
        return try bondd.wait(for: "all paths of client '\(bondd.name)'", seconds: seconds) { status in
            status.isWhole && status.sessions[0].paths.count >= count
        }
    }
}
