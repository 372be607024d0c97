import CNetlink
import Glibc

/// A base chain or a chain that others jump to, as the kernel lists it.
struct RulesetChain: Hashable, Sendable {
    /// NFPROTO_…: 1 inet, 2 ip, 10 ip6.
    let family: UInt16
    let table: String
    let name: String
    /// NF_INET_…; nil unless it is a base chain.
    let hook: UInt32?
    /// Whether a packet that no rule decides on is dropped.
    let drops: Bool
}

/// A step of somebody's rule, as far as bondd understands it.
enum RulesetStep: Hashable, Sendable {
    case meta(register: UInt32, key: UInt32)
    case payload(register: UInt32, base: UInt32, offset: UInt32, length: UInt32)
    case connectionState(register: UInt32)
    case bitwise(source: UInt32, destination: UInt32, mask: [UInt8], xor: [UInt8])
    case compare(register: UInt32, operation: UInt32, [UInt8])
    /// NF_ACCEPT, NFT_JUMP and so on; the chain of a jump.
    case verdict(Int32, chain: String?)
    case counter(packets: UInt64, bytes: UInt64)
    case reject
    /// A match of iptables, by its name.
    case match(String)
    /// A target of iptables, by its name.
    case target(String)
    /// Changes or reports a packet and goes on.
    case harmless
    /// Looks a register up in a set, or in a map of verdicts.
    case lookup(register: UInt32, decides: Bool)
    case unknown
}

/// A rule of somebody's.
struct RulesetRule: Hashable, Sendable {
    let steps: [RulesetStep]
    let comment: String?
}

// What there is of tables, chains and rules, whoever made them.
extension FirewallSocket {
    /// The names of the tables of family `inet`.
    borrowing func inetTables() throws(ControlError) -> [String] {
        var names: [String] = []
        try list(NFT_MSG_GETTABLE, family: FirewallBatch.inet, "list firewall tables") { message in
            guard let table = nftnl_table_alloc() else { return }
            defer { nftnl_table_free(table) }
            guard nftnl_table_nlmsg_parse(message, table) >= 0,
                let name = nftnl_table_get_str(table, UInt16(NFTNL_TABLE_NAME.rawValue))
            else { return }
            names.append(String(cString: name))
        }
        return names
    }

    /// All chains of all families.
    borrowing func chains() throws(ControlError) -> [RulesetChain] {
        var chains: [RulesetChain] = []
        // NFPROTO_UNSPEC
        try list(NFT_MSG_GETCHAIN, family: 0, "list firewall chains") { message in
            guard let chain = nftnl_chain_alloc() else { return }
            defer { nftnl_chain_free(chain) }
            guard nftnl_chain_nlmsg_parse(message, chain) >= 0,
                let table = nftnl_chain_get_str(chain, UInt16(NFTNL_CHAIN_TABLE.rawValue)),
                let name = nftnl_chain_get_str(chain, UInt16(NFTNL_CHAIN_NAME.rawValue))
            else { return }
            let isBase = nftnl_chain_is_set(chain, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue))
            let policy =
                nftnl_chain_is_set(chain, UInt16(NFTNL_CHAIN_POLICY.rawValue))
                ? nftnl_chain_get_u32(chain, UInt16(NFTNL_CHAIN_POLICY.rawValue)) : 1
            chains.append(
                RulesetChain(
                    family: UInt16(nftnl_chain_get_u32(chain, UInt16(NFTNL_CHAIN_FAMILY.rawValue))),
                    table: String(cString: table), name: String(cString: name),
                    hook: isBase ? nftnl_chain_get_u32(chain, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue)) : nil,
                    drops: isBase && policy == 0))
        }
        return chains
    }

    /// The rules of a table, or of one of its chains, in order. None when there is no such table.
    borrowing func rules(
        family: UInt16, table: String, chain: String? = nil
    ) throws(ControlError) -> [RulesetRule] {
        guard let filter = nftnl_rule_alloc() else {
            throw .firewall("list firewall rules", errno: ENOMEM)
        }
        defer { nftnl_rule_free(filter) }
        nftnl_rule_set_str(filter, UInt16(NFTNL_RULE_TABLE.rawValue), table)
        if let chain { nftnl_rule_set_str(filter, UInt16(NFTNL_RULE_CHAIN.rawValue), chain) }
        var rules: [RulesetRule] = []
        try list(
            NFT_MSG_GETRULE, family: family, "list firewall rules",
            fill: { nftnl_rule_nlmsg_build_payload($0, filter) }
        ) { message in
            guard let rule = nftnl_rule_alloc() else { return }
            defer { nftnl_rule_free(rule) }
            guard nftnl_rule_nlmsg_parse(message, rule) >= 0,
                let from = nftnl_rule_get_str(rule, UInt16(NFTNL_RULE_TABLE.rawValue)),
                String(cString: from) == table
            else { return }
            rules.append(RulesetRule(rule))
        }
        return rules
    }
}

extension RulesetRule {
    /// What a `nftnl_rule` says.
    fileprivate init(_ rule: OpaquePointer) {
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

    /// The first field of the rule's data when that is nft's comment: type 0, length, a string with its zero.
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

extension RulesetStep {
    /// What a `nftnl_expr` says.
    fileprivate init(_ expression: OpaquePointer) {
        func number(_ attribute: Int) -> UInt32 { nftnl_expr_get_u32(expression, UInt16(attribute)) }
        func text(_ attribute: Int) -> String? {
            nftnl_expr_is_set(expression, UInt16(attribute))
                ? nftnl_expr_get_str(expression, UInt16(attribute)).map { String(cString: $0) } : nil
        }
        func bytes(_ attribute: Int) -> [UInt8] {
            var count: UInt32 = 0
            guard let data = nftnl_expr_get(expression, UInt16(attribute), &count) else { return [] }
            return Array(UnsafeRawBufferPointer(start: data, count: Int(count)))
        }
        func has(_ attribute: Int) -> Bool { nftnl_expr_is_set(expression, UInt16(attribute)) }
        switch text(NFTNL_EXPR_NAME) {
        case "meta" where has(NFTNL_EXPR_META_DREG):
            self = .meta(register: number(NFTNL_EXPR_META_DREG), key: number(NFTNL_EXPR_META_KEY))
        case "payload" where has(NFTNL_EXPR_PAYLOAD_DREG):
            self = .payload(
                register: number(NFTNL_EXPR_PAYLOAD_DREG), base: number(NFTNL_EXPR_PAYLOAD_BASE),
                offset: number(NFTNL_EXPR_PAYLOAD_OFFSET), length: number(NFTNL_EXPR_PAYLOAD_LEN))
        case "ct" where has(NFTNL_EXPR_CT_DREG) && number(NFTNL_EXPR_CT_KEY) == NFT_CT_STATE.rawValue:
            self = .connectionState(register: number(NFTNL_EXPR_CT_DREG))
        case "bitwise" where has(NFTNL_EXPR_BITWISE_MASK):
            self = .bitwise(
                source: number(NFTNL_EXPR_BITWISE_SREG), destination: number(NFTNL_EXPR_BITWISE_DREG),
                mask: bytes(NFTNL_EXPR_BITWISE_MASK), xor: bytes(NFTNL_EXPR_BITWISE_XOR))
        case "cmp":
            self = .compare(
                register: number(NFTNL_EXPR_CMP_SREG), operation: number(NFTNL_EXPR_CMP_OP),
                bytes(NFTNL_EXPR_CMP_DATA))
        case "immediate" where has(NFTNL_EXPR_IMM_VERDICT):
            self = .verdict(
                Int32(bitPattern: number(NFTNL_EXPR_IMM_VERDICT)), chain: text(NFTNL_EXPR_IMM_CHAIN))
        case "counter":
            self = .counter(
                packets: nftnl_expr_get_u64(expression, UInt16(NFTNL_EXPR_CTR_PACKETS)),
                bytes: nftnl_expr_get_u64(expression, UInt16(NFTNL_EXPR_CTR_BYTES)))
        case "lookup":
            // The register of verdicts is 0.
            self = .lookup(
                register: number(NFTNL_EXPR_LOOKUP_SREG),
                decides: has(NFTNL_EXPR_LOOKUP_DREG) && number(NFTNL_EXPR_LOOKUP_DREG) == 0)
        case "reject": self = .reject
        case "match": self = .match(text(NFTNL_EXPR_MT_NAME) ?? "")
        case "target": self = .target(text(NFTNL_EXPR_TG_NAME) ?? "")
        case "log", "notrack", "immediate", "rt", "byteorder": self = .harmless
        default: self = .unknown
        }
    }
}
