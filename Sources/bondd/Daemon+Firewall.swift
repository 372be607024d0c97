import Control
import Glibc
import Messages
import Packet
import Settings

// The host's firewall.
extension Daemon {
    /// The firewall, if the kernel has one or the configuration needs it.
    static func firewall(
        _ configuration: Configuration, state: String, log: Log
    ) throws(ControlError) -> HostFirewall? {
        do throws(ControlError) {
            return try HostFirewall(configuration, state: state, log: log)
        } catch {
            if configuration.needsFirewall { throw error }
            log(.debug, error.description)
            return nil
        }
    }

    /// Looks up the server's names again, now that there is a tunnel: while the kill switch was on without one, nobody
    /// answered.
    func renewNames() {
        guard firewall?.wantsKillSwitch == true, case .client(let client) = configuration.role else { return }
        for name in client.allEndpoints where name.endpoint == nil {
            resolver.resolve(name)
        }
    }

    /// `bondd unlock`
    mutating func unlock() -> Response {
        guard let firewall else { return .failed("this kernel has no nftables, so there is no kill switch") }
        // Answers may leave by the uplinks again.
        routingIsDue = true
        do throws(ControlError) {
            return try firewall.unlock()
                ? .ok : .failed("there is no kill switch to lift; traffic may leave outside the tunnel")
        } catch {
            return .failed(error.description)
        }
    }
}

extension Configuration {
    /// Whether it can't be carried out without a firewall.
    var needsFirewall: Bool {
        switch role {
        case .client(let client): client.killSwitch
        case .server(let server): server.nat?.enabled == true
        }
    }
}
