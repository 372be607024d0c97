import Glibc
import Messages
import Settings

/// Where services come from: the file's rules, and a control plane that bondd-control is enrolled at. bondd looks at both itself, as
/// bondd-control may be gone and what it has handed over may not outlast what it was handed over for.
struct ServiceSources {
    private let rules: [Configuration.Rule]
    private let mayHavePlane: Bool

    /// - Parameter stateDirectory: bondd's; bondd-control's own is `control` below it, with the bundle that enrolment gave.
    init(_ configuration: Configuration, stateDirectory: String) {
        guard case .server(let server) = configuration.role else {
            (rules, mayHavePlane) = ([], false)
            return
        }
        rules = server.rules
        let bundle = "\(stateDirectory)/control/portunus.bundle.json"
        // bondd may not be allowed to look there, being root without root's rights: then it may well be there.
        mayHavePlane = server.portunus != nil || access(bundle, F_OK) == 0 || errno != ENOENT
    }

    /// Whether what a service was made of is still there. Its name is SOURCE/RULE@WHERE.
    func have(_ service: HandedService) -> Bool {
        if service.rule.hasPrefix("portunus/") { return mayHavePlane }
        guard service.rule.hasPrefix("file/") else { return true }
        return rules.contains { rule in
            service.rule.hasPrefix("file/\(rule.name)@") && service.transport == rule.transport.rawValue
                && service.firstPort == rule.ports.lowerBound && service.lastPort == rule.ports.upperBound
                && rule.targets.contains { $0.host == service.target && $0.port == service.targetPort }
        }
    }
}
