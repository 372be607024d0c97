import Control
import Engine
import Settings

extension Log {
    /// Writes what happened in an Engine.
    /// - Parameter pathName: what the path of that ID is called here, if it has a name.
    func callAsFunction(_ event: EngineEvent, pathName: (UInt16) -> String? = { _ in nil }) {
        switch event {
        case .established(let peer, let continues):
            self(continues ? .debug : .info, continues ? "new keys" : "session is up", ["peer": peer])
        case .closed(let peer): self(.info, "session is closed", ["peer": peer])
        case .assigned: break
        case .pathChanged(let peer, let id, let state):
            self(
                state == .suspect ? .debug : .info, "path is \(state)",
                ["peer": peer, "path": pathName(id) ?? "\(id)"])
        case .pathMoved(let peer, let id, let remote):
            self(
                .info, "path has a new address",
                ["peer": peer, "path": "\(id)", "remote": remote.description])
        case .marksIgnored(let peer, let id):
            self(
                .warning, "a network on the path rewrites congestion marks (ECN); they are ignored",
                ["peer": peer, "path": pathName(id) ?? "\(id)"])
        case .marksStopped(let peer, let id):
            self(
                .warning, "a network on the path drops datagrams with ECN; they leave without it",
                ["peer": peer, "path": pathName(id) ?? "\(id)"])
        case .reachChanged(let peer, let packet):
            self(.debug, "the paths carry packets of up to \(packet) bytes", ["peer": peer])
        case .unanswered:
            self(
                .warning, "the server has not answered for 90 s; check its address, its key and the firewall")
        case .versionRefused, .keyRefused, .suiteRefused:
            if let refusal = event.refusal { self(.warning, refusal) }
        case .suiteMismatch(let peer):
            let sentence = "a client uses another cipher; set the same [tunnel] cipher on both ends"
            self(.warning, sentence, ["peer": peer])
        case .enrolment(let invitation, _, let host):
            self(.debug, "somebody wants to enrol", ["invitation": invitation, "host": host])
        case .enrolled: break
        }
    }
}

extension EngineEvent {
    /// Why the server does not want this client, with the remedy; nil for all other events.
    var refusal: String? {
        switch self {
        case .versionRefused: "the server speaks another version of the protocol; bring both to one version"
        case .keyRefused:
            "the server does not know this client's key (any more); ask for a new invitation and run: bondd join LINK"
        case .suiteRefused: "the server uses another cipher; set the same [tunnel] cipher on both ends"
        default: nil
        }
    }
}
