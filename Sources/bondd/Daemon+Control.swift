import Control
import Engine
import Messages
import Packet
import Scheduler

// What the daemon is asked and told: requests, reloads, the Engine's events.
extension Daemon {
    mutating func answerRequests(now: Instant) {
        for call in control.takeRequests() {
            let response: Response =
                switch call.request {
                case .status: .status(status(now: now))
                case .set(let key, let value): set(key, value, now: now)
                case .reload: reload(now: now).map { .failed($0) } ?? .ok
                }
            control.reply(response, to: call.client)
        }
    }

    /// Changes one value of the running daemon; the file stays as it is.
    private mutating func set(_ key: String, _ value: String, now: Instant) -> Response {
        if key == "mode" {
            guard let mode = Configuration.Mode(rawValue: value) else {
                return .failed("\"\(value)\" is not a mode; use auto, stripe, preferred or redundant")
            }
            engine.setMode(Scheduler.Mode(mode))
            return .ok
        }
        let parts = key.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts.first == "path", let field = parts.last, engine.isClient else {
            let keys = engine.isClient ? "mode, path.NAME.role or path.NAME.cap" : "mode"
            return .failed("\"\(key)\" can't be set; use \(keys)")
        }
        let name = parts[1..<parts.count - 1].joined(separator: ".")
        guard let path = paths.first(where: { $0.configuration.name == name }) else {
            let names = paths.map(\.configuration.name).joined(separator: ", ")
            return .failed("there is no path \"\(name)\"; the paths are \(names)")
        }
        switch field {
        case "role":
            guard let role = Configuration.PathRole(rawValue: value) else {
                return .failed("\"\(value)\" is not a role; use primary, backup, metered or never")
            }
            path.configuration.role = role
        case "cap":
            guard let cap = Double(value), cap >= 0, cap <= 1e6 else {
                return .failed("\"\(value)\" is not a cap; give Mbit/s, or 0 for none")
            }
            path.configuration.cap = cap
        default: return .failed("a path has no \"\(field)\" that can be set; use role or cap")
        }
        path.isKnownToEngine = false
        follow(path, now: now)
        return .ok
    }

    /// Reads the configuration again: mode, paths and clients take effect at once.
    /// - Returns: what is wrong with it, in which case nothing changes.
    mutating func reload(now: Instant) -> String? {
        let new: Configuration
        do throws(ConfigurationError) {
            new = try Configuration(reading: file)
        } catch {
            log(.error, "the configuration stays as it was: \(error.description)")
            return error.description
        }
        for notice in new.notices { log(.warning, notice) }
        guard new.canReplace(configuration) else {
            let sentence =
                "the role, interface, addresses, mtu, cipher, keys, offload, buffer_mb, endpoints and listening addresses change only with a restart"
            log(.error, "the configuration stays as it was: \(sentence)")
            return sentence
        }
        let old = configuration
        configuration = new
        if new.tunnel.mode != old.tunnel.mode { engine.setMode(Scheduler.Mode(new.tunnel.mode)) }
        switch new.role {
        case .client(let client):
            replacePaths(client, now: now)
        case .server:
            engine.replacePeers(EngineConfiguration(new, mtu: tunnel.mtu).peers)
        }
        log(.info, "the configuration was read again")
        return nil
    }

    /// Logs what happened, and does what it asks for.
    mutating func act(on event: EngineEvent, now: Instant) {
        switch event {
        case .established(let peer, let continues):
            counters.handshakes += 1
            log(continues ? .debug : .info, continues ? "new keys" : "session is up", ["peer": peer])
        case .closed(let peer): log(.info, "session is closed", ["peer": peer])
        case .assigned(let frame): adopt(frame)
        case .pathChanged(let peer, let id, let state):
            let name = paths.first { $0.id == id }?.configuration.name ?? "\(id)"
            log(state == .suspect ? .debug : .info, "path is \(state)", ["peer": peer, "path": name])
        case .pathMoved(let peer, let id, let remote):
            log(
                .info, "path has a new address",
                ["peer": peer, "path": "\(id)", "remote": remote.description])
        case .unanswered:
            log(.warning, "the server has not answered for 90 s; check its address, its key and the firewall")
        case .versionRefused:
            log(.warning, "the server speaks another version of the protocol; bring both to one version")
        case .suiteMismatch(let peer):
            let sentence = "a client uses another cipher; set the same [tunnel] cipher on both ends"
            log(.warning, sentence, ["peer": peer])
        case .suiteRefused:
            log(.warning, "the server uses another cipher; set the same [tunnel] cipher on both ends")
        }
    }
}

extension Configuration {
    /// Whether a running daemon can take this configuration in place of `old`.
    fileprivate func canReplace(_ old: Configuration) -> Bool {
        guard tunnel.interface == old.tunnel.interface, tunnel.addresses == old.tunnel.addresses,
            tunnel.cipher == old.tunnel.cipher, tunnel.privateKey == old.tunnel.privateKey,
            tunnel.mtu == old.tunnel.mtu, tunnel.offload == old.tunnel.offload,
            tunnel.bufferMegabytes == old.tunnel.bufferMegabytes
        else { return false }
        switch (role, old.role) {
        case (.client(let new), .client(let old)): return new.server == old.server
        case (.server(let new), .server(let old)): return new.listen == old.listen
        default: return false
        }
    }
}
