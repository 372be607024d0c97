import Host
import Settings

// A client's answers to what came in through the tunnel, or by an uplink.
extension HostFirewall {
    private var isClient: Bool { if case .client = configuration.role { true } else { false } }

    /// The uplinks by which answers leave; none with a kill switch, as nothing leaves outside the tunnel then.
    private var answeringUplinks: [ReturnUplink] { wantsKillSwitch ? [] : uplinks }

    /// Takes notice of the uplinks.
    func follow(uplinks: [ReturnUplink]) {
        let before = answering
        self.uplinks = uplinks
        guard returning != nil, answeringUplinks != before else { return }
        startReturning()
    }

    /// Lets answers leave where the connection came in, through the tunnel or by an uplink. Without it they leave as the
    /// routes lead.
    func startReturning() {
        guard isClient else {
            stopReturning()
            return
        }
        answering = answeringUplinks
        let table = FirewallTable.returning(
            interface: interface, mark: ReturnMark.value(interface: interface), uplinks: answering,
            earlier: earlier)
        do throws(HostError) {
            try socket.replace(table)
            returning = table
            heedMarks()
            returnProblem = nil
        } catch {
            let problem =
                "\(error.description); hosts that reach this one through the tunnel may be answered beside it"
            returnProblem = problem
            log(.warning, problem)
        }
    }

    /// Has strict reverse-path filters of the uplinks go by the marks of what comes in, and no others any more.
    private func heedMarks() {
        let names = Set(answering.map(\.name))
        for name in heeding.subtracting(names) { ReversePath.ignoreMarks(interface: name) }
        heeding.formIntersection(names)
        for name in names.subtracting(heeding) {
            do throws(HostError) {
                if try ReversePath.heedMarks(interface: name) { heeding.insert(name) }
            } catch {
                log(
                    .warning,
                    "\(error.description); with rp_filter = 1 the kernel drops what comes in by \(name) from beyond its networks"
                )
            }
        }
    }

    /// Removes it, also what an earlier run left.
    func stopReturning() {
        returning = nil
        for name in heeding { ReversePath.ignoreMarks(interface: name) }
        heeding = []
        do throws(HostError) {
            _ = try socket.remove(table: FirewallTable.returnName(interface: interface))
        } catch {
            log(.debug, error.description)
        }
    }
}
