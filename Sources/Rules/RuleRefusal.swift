import Packet

/// Why a rule can't be carried. `description` is the control plane's word for it; it is stored there and never tried again, so
/// no passing condition is told: `outOfDescriptors` is the only one here.
public enum RuleRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another program or rule has the port; of a range, which one.
    case portInUse(UInt16?)
    /// This program may not listen on the port.
    case permissionDenied(UInt16?)
    /// The kernel does not give the port for another reason.
    case bindFailed(UInt16?)
    /// This host does not have the address that the rule listens on. It may get it, so that the rule is tried again.
    case addressMissing(IPAddress)
    /// There are no descriptors or no memory left, or the carrier was stopped. That passes: nobody tells the control plane,
    /// and the rule is tried again.
    case outOfDescriptors
    /// The ports are none, too many, or not as many as the target's.
    case rangeInvalid
    /// A target is neither an address nor a name, or is outside the tunnel.
    case invalidTargetHost
    /// The target at that index has no port.
    case targetInvalidPort(Int)
    /// Server names and what else is on the port do not go together.
    case modeChangeUnsupported
    /// Another rule has the number.
    case duplicateRuleID
    /// There are as many rules as this server takes from a control plane.
    case tooMany
    /// There is no rule with that number.
    case unknownRuleID

    /// The control plane's word.
    public var description: String {
        switch self {
        case .portInUse(let port): "port_in_use" + Self.suffix(port)
        case .permissionDenied(let port): "permission_denied" + Self.suffix(port)
        case .bindFailed(let port): "bind_failed" + Self.suffix(port)
        case .outOfDescriptors, .addressMissing: "bind_failed"
        case .rangeInvalid: "range_invalid"
        case .invalidTargetHost: "invalid_target_host"
        case .targetInvalidPort(let index): "target_invalid_port:\(index)"
        case .modeChangeUnsupported: "mode_change_unsupported"
        case .duplicateRuleID: "duplicate_rule_id"
        case .tooMany: "too_many_rules"
        case .unknownRuleID: "unknown_rule_id"
        }
    }

    private static func suffix(_ port: UInt16?) -> String { port.map { ":\($0)" } ?? "" }
}
