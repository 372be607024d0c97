import CNetlink

/// A rule of another program.
struct RulesetRule: Hashable, Sendable {
    let steps: [RulesetStep]
    let comment: String?
}

extension RulesetRule {
    /// Reads a `nftnl_rule`.
    init(_ rule: OpaquePointer) {
        var steps: [RulesetStep] = []
        if let iterator = nftnl_expr_iter_create(rule) {
            defer { nftnl_expr_iter_destroy(iterator) }
            while let expression = nftnl_expr_iter_next(iterator) {
                steps.append(RulesetStep(expression))
            }
        }
        self.steps = steps
        comment = Self.comment(of: rule)
    }

    /// The steps of one of bondd's own rules, as the kernel would list them.
    init(_ rule: FirewallRule) throws(HostError) {
        var steps: [RulesetStep] = []
        for expression in rule.expressions {
            let object = try expression.object()
            steps.append(RulesetStep(object))
            nftnl_expr_free(object)
        }
        (self.steps, comment) = (steps, rule.comment)
    }

    /// The first field of the rule's data if that is nft's comment: type 0, length, zero-terminated string.
    private static func comment(of rule: OpaquePointer) -> String? {
        var count: UInt32 = 0
        guard let data = nftnl_rule_get_data(rule, UInt16(NFTNL_RULE_USERDATA.rawValue), &count) else {
            return nil
        }
        let bytes = UnsafeRawBufferPointer(start: data, count: Int(count))
        guard bytes.count > 2, bytes[0] == 0, bytes.count >= 2 + Int(bytes[1]), bytes[1] > 0 else {
            return nil
        }
        return String(decoding: bytes[2..<2 + Int(bytes[1]) - 1], as: UTF8.self)
    }
}
