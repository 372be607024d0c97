import ControlProtocol
import Rules

/// A rule that the plane has, and how it is carried.
struct Service {
    var rule: Rule
    /// Why it is not carried; nil: it is.
    var failure: RuleRefusal?
    /// What the kernel has of it.
    var share: KernelShare
    /// When it is tried again; nil: it is carried, or never.
    var retry: ContinuousClock.Instant?
    /// When what is left of it ends; nil: it was not removed.
    var end: ContinuousClock.Instant?

    init(_ rule: Rule, share: KernelShare = .none) {
        self.rule = rule
        self.share = share
    }

    /// What the kernel has of a rule.
    enum KernelShare {
        /// Nothing.
        case none
        /// All new connections.
        case accepting
        /// Connections that began there.
        case draining
    }

    /// What bondd knows it by: who it is of, and where it leads from where, so that a rule that leads elsewhere is another.
    var name: String {
        let target = rule.targets[0]
        return
            "\(rule.id.source)/\(rule.id)@\(rule.transport.word):\(rule.portText)>\(target.host):\(target.port)"
    }

    /// As bondd takes it; nil when the kernel has nothing of it.
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
    /// Whether it may be otherwise soon: such a rule is taken on and tried again, as the control plane never does so itself.
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
    /// The order in which rules are shown: those of the file by name, then pushed ones by number.
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
    /// `8443` or `8000-8010`.
    var portText: String {
        ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
    }
}
