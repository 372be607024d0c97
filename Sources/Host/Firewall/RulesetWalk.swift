import CNetlink
import Glibc

/// Follows a packet through a base chain and the chains it jumps to.
enum RulesetWalk {
    /// Where a packet is dropped.
    struct Drop: Hashable {
        /// The base chain where it entered the table.
        let base: RulesetChain
        /// The chain with the deciding rule, or the base chain for its policy.
        let chain: String
    }

    /// The verdict of a rule that may match a packet, and whether it certainly matches.
    typealias Decision = (verdict: RulesetStep, isCertain: Bool)

    private enum Outcome {
        case accepted
        case dropped(chain: String)
        /// No verdict: evaluation continues after the jump, or with the policy.
        case undecided
    }

    /// Limits on chains entered and rules read, so that a ruleset of any size takes little time.
    private static let maximumChains = 64
    private static let maximumRules = 20_000

    /// Where a packet is dropped; nil if it passes. An accept counts even if it is uncertain; a drop or return
    /// counts only if it is certain.
    /// - Parameters:
    ///   - rules: returns the rules of a chain in the same table.
    ///   - decide: returns the rule's effect on the packet; nil if it has none or does not match.
    static func drop(
        in base: RulesetChain, rules: (String) -> [RulesetRule], decide: (RulesetRule) -> Decision?
    ) -> Drop? {
        var budget = (chains: maximumChains, rules: maximumRules)
        switch walk(base.name, rules, decide, &budget) {
        case .accepted: return nil
        case .dropped(let chain): return Drop(base: base, chain: chain)
        case .undecided:
            // A ruleset that was not read completely is not reported.
            return base.drops && budget.chains > 0 && budget.rules > 0
                ? Drop(base: base, chain: base.name) : nil
        }
    }

    private static func walk(
        _ chain: String, _ rules: (String) -> [RulesetRule], _ decide: (RulesetRule) -> Decision?,
        _ budget: inout (chains: Int, rules: Int)
    ) -> Outcome {
        budget.chains -= 1
        guard budget.chains > 0 else { return .undecided }
        for rule in rules(chain) {
            budget.rules -= 1
            guard budget.rules > 0 else { return .undecided }
            guard let (verdict, isCertain) = decide(rule) else { continue }
            switch verdict {
            case .verdict(1, _): return .accepted
            case .verdict(0, _), .reject, .target("REJECT"), .target("DROP"):
                if isCertain { return .dropped(chain: chain) }
            case .verdict(let code, let target?) where code == NFT_JUMP.rawValue || code == NFT_GOTO.rawValue:
                let outcome = walk(target, rules, decide, &budget)
                switch outcome {
                case .accepted: return .accepted
                case .dropped: if isCertain { return outcome }
                case .undecided: if isCertain && code == NFT_GOTO.rawValue { return .undecided }
                }
            case .verdict(NFT_RETURN.rawValue, _): if isCertain { return .undecided }
            default: break
            }
        }
        return .undecided
    }

    // MARK: Values

    /// An interface's name as the kernel stores it: 16 bytes, padded with zeros.
    static func name(_ interface: String) -> [UInt8] {
        let bytes = Array(interface.utf8.prefix(15))
        return bytes + [UInt8](repeating: 0, count: 16 - bytes.count)
    }

    /// An interface's index in host order; nil if the interface does not exist.
    static func index(_ interface: String) -> [UInt8]? {
        let index = if_nametoindex(interface)
        return index == 0 ? nil : withUnsafeBytes(of: UInt32(index)) { Array($0) }
    }

    /// Compares only as many bytes as the rule has; a wildcard name such as "eth*" has fewer than 16.
    static func compare(_ value: [UInt8], _ operation: UInt32, _ bytes: [UInt8]) -> Bool {
        let part = Array(value.prefix(bytes.count))
        return switch nft_cmp_ops(rawValue: operation) {
        case NFT_CMP_EQ: part == bytes
        case NFT_CMP_NEQ: part != bytes
        case NFT_CMP_LT: part.lexicographicallyPrecedes(bytes)
        case NFT_CMP_LTE: !bytes.lexicographicallyPrecedes(part)
        case NFT_CMP_GT: bytes.lexicographicallyPrecedes(part)
        default: !part.lexicographicallyPrecedes(bytes)
        }
    }
}
