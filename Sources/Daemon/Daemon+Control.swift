import ControlProtocol
import Engine
import Host
import Packet
import Scheduler
import Settings

// What the daemon is asked and told: requests, reloads, the Engine's events.
extension Daemon {
    mutating func answerRequests(now: Instant) {
        for call in control.takeRequests() {
            let response: Response
            if let refusal = controlUser.refusal(of: call.request, from: call.peer) {
                control.reply(.failed(refusal), to: call.client)
                continue
            }
            if call.request.audience == .control { controlPresence.note(now: now) }
            switch call.request {
            case .awaitEnrolments:
                // Answered when there is something to say.
                enrolments.ask(call.client, now: now)
                continue
            case .handOver(let handover):
                take(handover, from: call.client, now: now)
                continue
            case .settle(let id, let outcome): response = settle(id, outcome)
            case .usage:
                survey.ask(.usage, for: call.client)
                continue
            case .carry(let services): response = carry(services, for: call.peer, now: now)
            case .revoke(let name):
                revoke(name, from: call.client, now: now)
                continue
            case .ping: response = .ok
            case .services:
                // Answered when it is known.
                serviceCalls.append(call.client)
                continue
            case .unlock: response = unlock()
            case .status:
                fileInForce.look()
                survey.ask(.status, for: call.client)
                continue
            case .set(let key, let value): response = set(key, value, now: now)
            case .bench(let path, let towardsServer):
                response = bench(path, towardsServer: towardsServer, now: now)
            case .reload:
                let problem = reload(now: now)
                let notices = configuration.notices + [nameNotice].compactMap(\.self)
                response = problem.map { .failed($0) } ?? (notices.isEmpty ? .ok : .warned(notices))
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
        let text: ConfigurationFile
        let new: Configuration
        do throws(ConfigurationError) {
            text = try ConfigurationFile(reading: file)
        } catch {
            return refuse(nil, error.description)
        }
        do throws(ConfigurationError) {
            new = try text.configuration()
        } catch {
            return refuse(text, error.description)
        }
        for notice in new.notices { log(.warning, notice) }
        guard new.canReplace(configuration) else { return refuse(text, Configuration.needsRestart) }
        if firewall == nil && new.needsFirewall {
            return refuse(text, "this kernel has no nftables, which kill_switch and [nat] need")
        }
        fileInForce.take(text)
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
            retireServices(now: now)
        }
        log(.info, "the configuration was read again")
        return nil
    }

    /// A file that was read again stays without effect.
    private mutating func refuse(_ text: ConfigurationFile?, _ reason: String) -> String {
        log(.error, "the configuration stays as it was: \(reason)")
        fileInForce.refuse(text, reason)
        return reason
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
        if case .established = event { refusal = nil }
        if case .secret(let secret) = event { givenSecrets?.take(secret, now: now) }
        if case .pathChanged(_, let id, .up) = event, let path = paths.first(where: { $0.id == id }) {
            path.concerns[.reach] = nil
        }
        if let sentence = event.refusal {
            // Some refusals come as often as this end tries.
            let isNews = refusal?.problem != sentence
            refusal = (sentence, now)
            guard isNews else { return }
        }
        let paths = paths
        journal.note(event, now: now) { id in paths.first { $0.id == id }?.configuration.name }
    }
}
