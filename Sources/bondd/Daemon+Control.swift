import Control
import Engine
import Messages
import Packet
import Scheduler
import Settings

// What the daemon is asked and told: requests, reloads, the Engine's events.
extension Daemon {
    mutating func answerRequests(now: Instant) {
        for call in control.takeRequests() {
            let response: Response
            switch call.request {
            case .awaitEnrolments:
                // Answered when there is something to say.
                enrolments.ask(call.client, now: now)
                continue
            case .handOver(let handover):
                take(handover, from: call.client, now: now)
                continue
            case .settle(let id, let outcome): response = settle(id, outcome)
            case .usage: response = .usage(usageReport(now: now))
            case .carry(let services): response = carry(services, now: now)
            case .services:
                // Answered when it is known.
                serviceCalls.append(call.client)
                continue
            case .unlock: response = unlock()
            case .status: response = .status(status(now: now))
            case .set(let key, let value): response = set(key, value, now: now)
            case .bench(let path, let towardsServer):
                response = bench(path, towardsServer: towardsServer, now: now)
            case .reload: response = reload(now: now).map { .failed($0) } ?? .ok
            }
            control.reply(response, to: call.client)
        }
    }

    /// Changes one value of the running daemon; the file stays as it is.
    private mutating func set(_ key: String, _ value: String, now: Instant) -> Response {
        switch key {
        case "mode":
            guard let mode = Configuration.Mode(rawValue: value) else {
                return .failed("\"\(value)\" is not a mode; use auto, stripe, preferred or redundant")
            }
            setMode(Scheduler.Mode(mode))
            return .ok
        case "redundant_paths":
            let most = Configuration.Tunnel.mostRedundantPaths
            guard let count = Int(value), (0...most).contains(count) else {
                return .failed("\"\(value)\" is not a number of paths; use 1 to \(most), or 0 for all")
            }
            setRedundantPaths(count)
            return .ok
        default: return setPath(key, value, now: now)
        }
    }

    /// Changes a value of a client's path: `path.NAME.role` and the like.
    private mutating func setPath(_ key: String, _ value: String, now: Instant) -> Response {
        let parts = key.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts.first == "path", let field = parts.last, plane.engine.isClient else {
            let keys = "mode\(plane.engine.isClient ? ", " : " or ")redundant_paths"
            let more = ", path.NAME.role, path.NAME.cap, path.NAME.data_cap or path.NAME.data_used"
            return .failed("\"\(key)\" can't be set; use \(keys)\(plane.engine.isClient ? more : "")")
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
        case "data_cap":
            guard let cap = Double(value), cap >= 0, cap <= 1e6 else {
                return .failed("\"\(value)\" is not a data cap; give GB a month, or 0 for none")
            }
            path.configuration.dataCap = cap
            checkUsage(now: now)
            return .ok
        case "data_used": return setUsage(value, of: path, now: now).map { .failed($0) } ?? .ok
        default:
            return .failed(
                "a path has no \"\(field)\" that can be set; use role, cap, data_cap or data_used")
        }
        path.isKnownToEngine = false
        follow(path, now: now)
        updateRouting(now: now)
        return .ok
    }

    private mutating func setMode(_ mode: Scheduler.Mode) {
        tellThreads(.setMode(mode))
        plane.engine.setMode(mode)
    }

    private mutating func setRedundantPaths(_ count: Int) {
        tellThreads(.setRedundantPaths(count))
        plane.engine.setRedundantPaths(count)
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
                "the role, interface, addresses, mtu, cipher, keys, offload, buffer_mb, endpoints, listening addresses and threads change only with a restart"
            log(.error, "the configuration stays as it was: \(sentence)")
            return sentence
        }
        if firewall == nil && new.needsFirewall {
            let sentence = "this kernel has no nftables, which kill_switch and [nat] need"
            log(.error, "the configuration stays as it was: \(sentence)")
            return sentence
        }
        configuration = new
        firewall?.reload(new)
        // What was set by hand meanwhile gives way to the file.
        let mode = Scheduler.Mode(new.tunnel.mode)
        if mode != plane.engine.currentMode { setMode(mode) }
        let copies = new.tunnel.redundantPaths
        if copies != plane.engine.currentRedundantPaths { setRedundantPaths(copies) }
        switch new.role {
        case .client(let client):
            replacePaths(client, now: now)
            // The same again, as the file may lead something else into the tunnel now.
            if let frame = assignment {
                assignment = nil
                adopt(frame)
            }
        case .server:
            replacePeers()
        }
        log(.info, "the configuration was read again")
        return nil
    }

    /// Logs what happened, and does what it asks for.
    mutating func act(on event: EngineEvent, now: Instant) {
        if case .assigned(let frame) = event {
            adopt(frame)
            renewNames()
        }
        if case .enrolment(let invitation, let key, let host) = event {
            enrol(invitation, key, host: host, now: now)
        }
        if case .reachChanged(_, let packet) = event, plane.engine.isClient { follow(reach: packet) }
        let paths = paths
        journal.note(event, now: now) { id in paths.first { $0.id == id }?.configuration.name }
    }
}

extension Configuration {
    /// Whether a running daemon can take this configuration in place of `old`.
    fileprivate func canReplace(_ old: Configuration) -> Bool {
        guard tunnel.interface == old.tunnel.interface, tunnel.addresses == old.tunnel.addresses,
            tunnel.cipher == old.tunnel.cipher, tunnel.privateKey == old.tunnel.privateKey,
            tunnel.mtu == old.tunnel.mtu, tunnel.offload == old.tunnel.offload,
            tunnel.bufferMegabytes == old.tunnel.bufferMegabytes, tunnel.threads == old.tunnel.threads
        else { return false }
        switch (role, old.role) {
        case (.client(let new), .client(let old)): return new.server == old.server
        case (.server(let new), .server(let old)): return new.listen == old.listen
        default: return false
        }
    }
}
