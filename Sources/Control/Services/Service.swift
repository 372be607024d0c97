import ControlProtocol
import Rules

/// A rule of the plane, and how it is carried.
struct Service {
    var rule: Rule
    /// Why it is not carried; nil if it is.
    var failure: RuleRefusal?
    /// The kernel's share of its connections.
    var share: KernelShare
    /// When it is tried again; nil if it is carried, or never retried.
    var retry: ContinuousClock.Instant?
    /// When its remaining connections end; nil unless it was removed.
    var end: ContinuousClock.Instant?

    init(_ rule: Rule, share: KernelShare = .none) {
        self.rule = rule
        self.share = share
    }

    /// The kernel's share of a rule's connections.
    enum KernelShare {
        /// No connections.
        case none
        /// All new connections.
        case accepting
        /// Only connections that began there.
        case draining
    }

    /// Its name in bondd: its owner, ports and target, so that a rule with another target has another name.
    var name: String {
        let target = rule.targets[0]
        return
            "\(rule.id.source)/\(rule.id)@\(rule.transport.word):\(rule.portText)>\(target.host):\(target.port)"
    }

    /// The form handed to bondd; nil if the kernel has no share of it.
    var handed: HandedService? {
        guard share != .none else { return nil }
        let target = rule.targets[0]
        return HandedService(
            rule: name, transport: rule.transport.word, firstPort: Int(rule.ports.lowerBound),
            lastPort: Int(rule.ports.upperBound), target: target.host, targetPort: Int(target.port),
            accepts: share == .accepting)
    }
}

extension RuleRefusal {
    /// Whether the failure may be temporary: such a rule is accepted and retried here, as the control plane
    /// never retries.
    var isPassing: Bool {
        switch self {
        case .outOfDescriptors, .addressMissing: true
        default: false
        }
    }
}

extension RuleID {
    /// `portunus` or `file`.
    var source: String {
        switch self {
        case .pushed: "portunus"
        case .named: "file"
        }
    }
}

extension RuleID {
    /// The display order of rules: those of the file by name, then pushed ones by number.
    func isBefore(_ other: RuleID) -> Bool {
        switch (self, other) {
        case (.named(let one), .named(let another)): one < another
        case (.pushed(let one), .pushed(let another)): one < another
        case (.named, .pushed): true
        case (.pushed, .named): false
        }
    }
}

extension Rule {
    /// The ports as text: `8443` or `8000-8010`.
    var portText: String {
        ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
    }
}
