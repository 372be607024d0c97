import ControlProtocol
import Glibc
import Rules
import Settings

/// The origins of services: the rules of the file, and the control plane that bondd-control is enrolled at.
/// bondd checks both itself: a service must not outlast its rule because bondd-control is gone.
struct ServiceSources {
    private let rules: [Rule]
    private let mayHavePlane: Bool

    /// - Parameter stateDirectory: bondd's; bondd-control's own is `control` below it, with the bundle that
    ///   enrolment gave.
    init(_ configuration: Configuration, stateDirectory: String) {
        guard case .server(let server) = configuration.role else {
            (rules, mayHavePlane) = ([], false)
            return
        }
        rules = server.rules
        let bundle = "\(stateDirectory)/control/portunus.bundle.json"
        // Without CAP_DAC_OVERRIDE bondd can't look into that directory, and assumes that the bundle exists.
        mayHavePlane = server.portunus != nil || access(bundle, F_OK) == 0 || errno != ENOENT
    }

    /// Whether a service's origin still exists. Its name is SOURCE/RULE@WHERE.
    func have(_ service: HandedService) -> Bool {
        if service.rule.hasPrefix("portunus/") { return mayHavePlane }
        guard service.rule.hasPrefix("file/") else { return true }
        return rules.contains { rule in
            service.rule.hasPrefix("file/\(rule.id)@") && service.transport == rule.transport.word
                && service.firstPort == rule.ports.lowerBound && service.lastPort == rule.ports.upperBound
                && rule.targets.contains { $0.host == service.target && $0.port == service.targetPort }
        }
    }
}
