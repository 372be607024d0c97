import Engine
import Host
import Runtime
import Settings

extension Log {
    /// The level of an event by itself.
    static func level(of event: EngineEvent) -> Level {
        switch event {
        case .established(_, let continues): continues ? .debug : .info
        case .closed, .pathChanged, .pathMoved: .info
        case .assigned, .reachChanged, .enrolment, .enrolled, .secret: .debug
        case .unanswered, .versionRefused, .suiteMismatch, .suiteRefused, .keyRefused, .secretRefused,
            .marksIgnored, .marksStopped:
            .warning
        }
    }

    /// Logs an event of an Engine.
    /// - Parameter pathName: the name of the path of that ID, if it has one here.
    func callAsFunction(
        _ event: EngineEvent, level: Level, pathName: (UInt16) -> String? = { _ in nil }
    ) {
        func path(_ id: UInt16) -> String { pathName(id) ?? "\(id)" }
        switch event {
        case .established(let peer, let continues):
            self(level, continues ? "new keys" : "session is up", ["peer": peer])
        case .closed(let peer): self(level, "session is closed", ["peer": peer])
        case .assigned, .enrolled: break
        case .secret: self(level, "the server has sent a new preshared key")
        case .pathChanged(let peer, let id, let state):
            self(level, "path is \(state)", ["peer": peer, "path": path(id)])
        case .pathMoved(let peer, let id, let remote):
            self(
                level, "path has a new address",
                ["peer": peer, "path": path(id), "remote": remote.description])
        case .marksIgnored(let peer, let id):
            self(
                level, "a network on the path rewrites congestion marks (ECN); they are ignored",
                ["peer": peer, "path": path(id)])
        case .marksStopped(let peer, let id):
            self(
                level, "a network on the path drops datagrams with ECN; they leave without it",
                ["peer": peer, "path": path(id)])
        case .reachChanged(let peer, let packet):
            self(level, "the paths carry packets of up to \(packet) bytes", ["peer": peer])
        case .unanswered:
            self(level, "the server has not answered for 90 s; check its address, its key and the firewall")
        case .versionRefused, .keyRefused, .suiteRefused, .secretRefused:
            if let refusal = event.refusal { self(level, refusal) }
        case .suiteMismatch(let peer):
            self(
                level, "a client uses another cipher; set the same [tunnel] cipher on both ends",
                ["peer": peer])
        case .enrolment(let invitation, _, let host):
            self(level, "a client wants to enrol", ["invitation": "invitation \(invitation)", "host": host])
        }
    }
}

extension EngineEvent {
    /// Why the server refuses this client, with the remedy; nil for all other events.
    var refusal: String? {
        switch self {
        case .versionRefused:
            "the server speaks another version of the protocol; update both to the same version"
        case .keyRefused:
            "the server does not know this client's key, or has revoked it; ask for a new invitation and run: bondd join LINK"
        case .secretRefused:
            "the server no longer has the secret from which this client's preshared key is derived, because it was rotated twice since this client last connected, or lost; ask for a new invitation, then run: bondd leave, and bondd join LINK"
        case .suiteRefused: "the server uses another cipher; set the same [tunnel] cipher on both ends"
        default: nil
        }
    }
}
