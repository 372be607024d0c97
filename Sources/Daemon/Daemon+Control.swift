import ControlProtocol
import Engine
import Host
import Packet
import Proto
import Scheduler
import Settings

// Requests on the control socket, and reloads.
extension Daemon {
    mutating func answerRequests(now: Instant) {
        for call in shared.control.takeRequests() {
            if let refusal = controlUser.refusal(of: call.request, from: call.peer) {
                shared.control.reply(.failed(refusal), to: call.client)
                continue
            }
            guard let response = answer(call, now: now) else { continue }
            shared.control.reply(response, to: call.client)
        }
    }

    /// - Returns: nil if the answer comes later.
    private mutating func answer(_ call: ControlThread.Socket.Call, now: Instant) -> Response? {
        if call.request.audience == .control, case .server(let server) = side {
            server.noteControl(now: now)
        }
        switch call.request {
        case .ping: return .ok
        case .status:
            fileInForce.look()
            survey.ask(.status, for: call.client)
            return nil
        case .usage:
            survey.ask(.usage, for: call.client)
            return nil
        case .set(let key, let value): return set(key, value, now: now)
        case .bench(let path, let towardsServer):
            guard case .client(let client) = side else {
                return .failed("a server can't measure; run bondd bench on the client")
            }
            return client.bench(path, towardsServer: towardsServer, now: now)
        case .unlock: return unlock()
        case .reload:
            let problem = reload(now: now)
            let notices = shared.configuration.notices + nameNotice
            return problem.map { .failed($0) } ?? (notices.isEmpty ? .ok : .warned(notices))
        case .awaitEnrolments, .handOver, .settle, .carry, .services, .revoke:
            return answerControl(call, now: now)
        }
    }

    /// The problem with names that a reload is answered with, if there is one.
    private var nameNotice: [String] {
        if case .client(let client) = side { [client.nameNotice].compactMap(\.self) } else { [] }
    }

    /// Answers a server's requests from bondd-control, or from an operator in its place.
    private mutating func answerControl(_ call: ControlThread.Socket.Call, now: Instant) -> Response? {
        switch (call.request, side) {
        case (.awaitEnrolments, _):
            // Answered when a client enrols.
            enrolments.ask(call.client, now: now)
            return nil
        case (.settle(let id, let outcome), _): return settle(id, outcome)
        case (.handOver(let handover), .server(let server)):
            server.take(handover, digest: fileInForce.digest, from: call.client, now: now)
            return nil
        case (.handOver, .client): return .failed("a client has no clients; hand them over to a server")
        case (.carry(let services), .server(let server)):
            return server.carry(services, for: call.peer, now: now)
        case (.carry, .client):
            return .failed("a client carries no services; hand them over to a server")
        case (.services, .server(let server)):
            // Answered when the counters are known.
            server.reportServices(to: call.client)
            return nil
        case (.services, .client): return .services(ServiceCounters(run: shared.runID))
        case (.revoke(let name), .server(let server)):
            server.revoke(name, from: call.client, now: now)
            return nil
        case (.revoke, .client):
            return .failed("this host is a client; clients are revoked on the server")
        default: return .failed("bondd does not know this request here; see bondd --help")
        }
    }

    // MARK: - Changes

    /// `bondd unlock`
    private func unlock() -> Response {
        guard let firewall = shared.firewall else {
            return .failed("this kernel has no nftables, so there is no kill switch")
        }
        // Replies may leave by the uplinks again.
        if case .client(let client) = side { client.routing.expire() }
        do throws(HostError) {
            return try firewall.unlock()
                ? .ok : .failed("there is no kill switch to lift; traffic may leave outside the tunnel")
        } catch {
            return .failed(error.description)
        }
    }

    /// Changes one value of the running daemon, not of the file.
    private func set(_ key: String, _ value: String, now: Instant) -> Response {
        switch key {
        case "mode":
            guard let mode = Mode(word: value) else {
                return .failed("\"\(value)\" is not a mode; use \(Mode.listed)")
            }
            side.setMode(mode)
            return .ok
        case "redundant_paths":
            let most = Wire.maximumPaths
            guard let count = Int(value), (0...most).contains(count) else {
                return .failed("\"\(value)\" is not a number of paths; use 1 to \(most), or 0 for all")
            }
            side.setRedundantPaths(count)
            return .ok
        default:
            return switch side {
            case .client(let client): client.set(key, value, now: now)
            case .server(let server): server.set(key, value)
            }
        }
    }

    /// Reads the configuration again. Mode, paths and clients take effect at once.
    /// - Returns: why the file is refused, in which case nothing changes; nil if it is in force now.
    mutating func reload(now: Instant) -> String? {
        let text: ConfigurationFile
        let new: Configuration
        do throws(ConfigurationError) {
            text = try ConfigurationFile(reading: fileInForce.path)
        } catch {
            return refuse(nil, error.description)
        }
        do throws(ConfigurationError) {
            new = try text.configuration()
        } catch {
            return refuse(text, error.description)
        }
        for notice in new.notices { shared.log(.warning, notice) }
        guard new.canReplace(shared.configuration) else {
            return refuse(text, Configuration.needsRestart)
        }
        if shared.firewall == nil && new.needsFirewall {
            return refuse(
                text,
                "this kernel has no nftables, which kill_switch, [nat], and fwmark and cgroup of [[class]] need"
            )
        }
        fileInForce.take(text)
        shared.configuration = new
        shared.firewall?.reload(new)
        // The file overrides values that were set by hand.
        let mode = new.tunnel.mode
        if mode != side.mode { side.setMode(mode) }
        let copies = new.tunnel.redundantPaths
        if copies != side.redundantPaths { side.setRedundantPaths(copies) }
        side.setClasses(new.classes.map(\.service), now: now)
        switch (side, new.role) {
        case (.client(let client), .client(let settings)): client.reload(settings, now: now)
        case (.server(let server), .server(let settings)): server.reload(settings, now: now)
        default: break  // Another role needs a restart.
        }
        shared.log(.info, "the configuration is reloaded")
        return nil
    }

    /// Leaves the configuration as it is, and keeps the reason for the status.
    private mutating func refuse(_ text: ConfigurationFile?, _ reason: String) -> String {
        shared.log(.error, "the configuration is not changed: \(reason)")
        fileInForce.refuse(text, reason)
        return reason
    }
}
