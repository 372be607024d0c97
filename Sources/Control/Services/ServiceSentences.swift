import ControlProtocol
import Portunus
import Rules

extension Rule {
    /// What a refusal means to whoever runs this server, and what to do.
    func sentence(_ refusal: RuleRefusal) -> String {
        let what = "\(id.source == "file" ? "[[rule]]" : "rule") \(id)"
        let advice =
            switch refusal {
            case .portInUse(let port):
                "\(transport.word) port \(port.map { "\($0)" } ?? portText) is another program's or rule's (ss -lnp shows programs, bondd services rules); free it or choose another\(addressAdvice)"
            case .permissionDenied(let port):
                "bondd-control may not listen on \(transport.word) port \(port.map { "\($0)" } ?? portText); it needs CAP_NET_BIND_SERVICE, as its unit gives it, or choose a port from 1024"
            case .bindFailed(let port):
                "the kernel does not give \(transport.word) port \(port.map { "\($0)" } ?? portText); see bondd-control's limit of open files (LimitNOFILE)"
            case .addressMissing(let address):
                "listen_address = \"\(address)\" is not an address of this host, or not yet; correct it, or it is tried again until it is (ip address shows them)"
            case .outOfDescriptors:
                "bondd-control has as many files open as it may; it is tried again (LimitNOFILE in its unit is the limit)"
            case .rangeInvalid:
                "its ports are none, more than \(Rule.maximumPorts), or do not fit the target's; correct them"
            case .invalidTargetHost:
                "a target is no address or name, or is outside the tunnel; correct it, or set allow_outside = true in \(id.source == "file" ? "the rule" : "[portunus] of the configuration, reload, and have the rule made again,") if that is meant"
            case .targetInvalidPort(let index): "target \(index + 1) has no port; give it one"
            case .modeChangeUnsupported:
                "server names are for tcp and single ports, and such as host.example or *.example.org; correct it"
            case .duplicateRuleID: "another rule has its number; remove one"
            case .tooMany:
                "the control plane has more rules here than this server takes; remove some there"
            case .unknownRuleID: "there is no such rule"
            }
        return "\(what) is not carried: \(advice)"
    }

    /// A rule of the file may leave the port to another program on other addresses.
    private var addressAdvice: String {
        id.source == "file" && listenAddress == nil
            ? ", or give the rule a listen_address that the other does not listen on" : ""
    }
}

extension ServiceBook {
    /// How the control plane is doing, and what to do.
    var planeStatus: PlaneStatus {
        let place = endpoint ?? "the control plane"
        switch plane {
        case nil: return PlaneStatus(problem: missing)
        case .connected?: return PlaneStatus(state: "connected", endpoint: endpoint)
        case .connecting(let reason)?:
            let problem = reason.map {
                "\(place) does not answer (\($0)); its services go on, and it is tried again"
            }
            return PlaneStatus(state: "connecting", endpoint: endpoint, problem: problem)
        case .unauthorized(let word)?:
            return PlaneStatus(
                state: "unauthorized", endpoint: endpoint,
                problem:
                    "\(place) does not know this server any more (\(word)); tunnel and services go on, but take no changes: have an enrolment URI made there and give it to: bondd portunus enroll -"
            )
        case .wrongCertificate?:
            return PlaneStatus(
                state: "wrong_certificate", endpoint: endpoint,
                problem:
                    "\(place) shows another certificate than at enrolment, so that it was told nothing; if it was renewed there, have a new enrolment URI made and give it to: bondd portunus enroll -; else find out who answers"
            )
        }
    }
}
