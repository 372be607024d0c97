import Control
import Settings

// A client's answers to what came in through the tunnel.
extension HostFirewall {
    private var isClient: Bool { if case .client = configuration.role { true } else { false } }

    /// Lets answers leave through the tunnel where the connection came in by it. Without it those alone do that the routes
    /// lead there.
    func startReturning() {
        guard isClient else {
            stopReturning()
            return
        }
        let table = FirewallTable.returning(
            interface: interface, mark: ReturnMark.value(interface: interface))
        do throws(ControlError) {
            try socket.replace(table)
            returning = table
            returnProblem = nil
        } catch {
            let problem =
                "\(error.description); hosts that reach this one through the tunnel may be answered beside it"
            returnProblem = problem
            log(.warning, problem)
        }
    }

    /// Removes it, also what an earlier run left.
    func stopReturning() {
        returning = nil
        do throws(ControlError) {
            _ = try socket.remove(table: FirewallTable.returnName(interface: interface))
        } catch {
            log(.debug, error.description)
        }
    }
}
