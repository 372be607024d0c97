import ControlProtocol
import Portunus
import Rules

extension Rule {
    /// The meaning of a refusal for the operator of this server, and what to do.
    func sentence(_ refusal: RuleRefusal) -> String {
        let what = "\(id.source == "file" ? "[[rule]]" : "rule") \(id)"
        let advice =
            switch refusal {
            case .portInUse(let port):
                "\(transport.word) port \(port.map { "\($0)" } ?? portText) is in use by another program or rule (ss -lnp lists programs, bondd services lists rules); free it or choose another\(addressAdvice)"
            case .permissionDenied(let port):
                "bondd-control may not listen on \(transport.word) port \(port.map { "\($0)" } ?? portText); it needs CAP_NET_BIND_SERVICE, as its unit gives it, or choose a port from 1024"
            case .bindFailed(let port):
                "the kernel refuses \(transport.word) port \(port.map { "\($0)" } ?? portText); see bondd-control's limit of open files (LimitNOFILE)"
            case .addressMissing(let address):
                "listen_address = \"\(address)\" is not (yet) an address of this host; correct it, or wait: it is retried until the address exists (ip address lists them)"
            case .outOfDescriptors:
                "bondd-control has reached its limit of open files and retries; raise LimitNOFILE in its unit"
            case .rangeInvalid:
                "it has no ports, more than \(Rule.maximumPorts), or not as many as the target; correct them"
            case .invalidTargetHost:
                "a target is not an address or a name, or is outside the tunnel; correct it, or set allow_outside = true in \(id.source == "file" ? "the rule" : "[portunus] of the configuration, reload, and have the rule created again,") if that is intended"
            case .targetInvalidPort(let index): "target \(index + 1) has no port; give it one"
            case .modeChangeUnsupported:
                "server names need tcp and a single port, and look like host.example or *.example.org; correct it"
            case .duplicateRuleID: "another rule has its number; remove one"
            case .tooMany:
                "the control plane has more rules here than this server accepts; remove some there"
            case .unknownRuleID: "there is no such rule"
            }
        return "\(what) is not carried: \(advice)"
    }

    /// Advice for a rule of the file, which may leave the port to another program on other addresses.
    private var addressAdvice: String {
        id.source == "file" && listenAddress == nil
            ? ", or give the rule a listen_address that the other does not listen on" : ""
    }
}

extension ServiceBook {
    /// The state of the control plane, and what to do.
    var planeStatus: PlaneStatus {
        let endpoint = plane.endpoint
        let place = endpoint ?? "the control plane"
        switch plane.state {
        case nil: return PlaneStatus(problem: plane.problem)
        case .connected?: return PlaneStatus(state: "connected", endpoint: endpoint)
        case .connecting(let reason)?:
            let problem = reason.map {
                "\(place) does not answer (\($0)); its services continue, and bondd-control keeps trying"
            }
            return PlaneStatus(state: "connecting", endpoint: endpoint, problem: problem)
        case .unauthorized(let word)?:
            return PlaneStatus(
                state: "unauthorized", endpoint: endpoint,
                problem:
                    "\(place) no longer knows this server (\(word)); tunnel and services continue without changes; create an enrolment URI there and pass it to: bondd portunus enroll -"
            )
        case .wrongCertificate?:
            return PlaneStatus(
                state: "wrong_certificate", endpoint: endpoint,
                problem:
                    "\(place) presents another certificate than at enrolment, so nothing was sent to it; if it was renewed there, create a new enrolment URI and pass it to: bondd portunus enroll -; otherwise find out who is answering"
            )
        }
    }
}
