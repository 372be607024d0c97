import CNetlink

/// A step of another program's rule, as far as bondd understands it.
enum RulesetStep: Hashable, Sendable {
    case meta(register: UInt32, key: UInt32)
    case payload(register: UInt32, base: UInt32, offset: UInt32, length: UInt32)
    case connectionState(register: UInt32)
    case connectionStatus(register: UInt32)
    case bitwise(source: UInt32, destination: UInt32, mask: [UInt8], xor: [UInt8])
    case compare(register: UInt32, operation: UInt32, [UInt8])
    /// NF_ACCEPT, NFT_JUMP and so on; the chain of a jump.
    case verdict(Int32, chain: String?)
    case counter(packets: UInt64, bytes: UInt64)
    case reject
    /// iptables' match of connections in one of the states (the bits of XT_CONNTRACK_STATE_…), or in none of
    /// them. `isAll` says that it has no other conditions.
    case states(UInt16, isInverted: Bool, isAll: Bool)
    /// A match of iptables, by its name.
    case match(String)
    /// A target of iptables, by its name.
    case target(String)
    /// Changes or logs a packet and continues.
    case harmless
    /// Looks up a register in a set, or in a verdict map.
    case lookup(register: UInt32, set: String, isInverted: Bool, decides: Bool)
    /// Continues if the register is in a range, both ends included (NFT_RANGE_EQ), or outside it if inverted.
    case range(register: UInt32, isInverted: Bool, from: [UInt8], to: [UInt8])
    /// Loads the type of the destination address (RTN_…).
    case destinationType(register: UInt32)
    /// iptables' match of destination ports. `isAll` says that it has no other conditions.
    case ports([ClosedRange<UInt16>], isInverted: Bool, isAll: Bool)
    /// iptables' match of destination address types, a bit for each RTN_…. `isAll` says that it has no other conditions.
    case destinationTypes(UInt16, isInverted: Bool, isAll: Bool)
    case unknown
}

extension RulesetStep {
    /// Reads a `nftnl_expr`.
    init(_ expression: OpaquePointer) {
        func number(_ attribute: Int) -> UInt32 { nftnl_expr_get_u32(expression, UInt16(attribute)) }
        /// A register's number as listed by the kernel: of the 16-byte register that starts there, otherwise of
        /// the word.
        func register(_ attribute: Int) -> UInt32 {
            let register = number(attribute)
            return register >= 8 && register % 4 == 0 ? register / 4 - 1 : register
        }
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
            self = .meta(register: register(NFTNL_EXPR_META_DREG), key: number(NFTNL_EXPR_META_KEY))
        case "payload" where has(NFTNL_EXPR_PAYLOAD_DREG):
            self = .payload(
                register: register(NFTNL_EXPR_PAYLOAD_DREG), base: number(NFTNL_EXPR_PAYLOAD_BASE),
                offset: number(NFTNL_EXPR_PAYLOAD_OFFSET), length: number(NFTNL_EXPR_PAYLOAD_LEN))
        case "ct" where has(NFTNL_EXPR_CT_DREG) && number(NFTNL_EXPR_CT_KEY) == NFT_CT_STATE.rawValue:
            self = .connectionState(register: register(NFTNL_EXPR_CT_DREG))
        case "ct" where has(NFTNL_EXPR_CT_DREG) && number(NFTNL_EXPR_CT_KEY) == NFT_CT_STATUS.rawValue:
            self = .connectionStatus(register: register(NFTNL_EXPR_CT_DREG))
        case "bitwise" where has(NFTNL_EXPR_BITWISE_MASK):
            self = .bitwise(
                source: register(NFTNL_EXPR_BITWISE_SREG), destination: register(NFTNL_EXPR_BITWISE_DREG),
                mask: bytes(NFTNL_EXPR_BITWISE_MASK), xor: bytes(NFTNL_EXPR_BITWISE_XOR))
        case "cmp":
            self = .compare(
                register: register(NFTNL_EXPR_CMP_SREG), operation: number(NFTNL_EXPR_CMP_OP),
                bytes(NFTNL_EXPR_CMP_DATA))
        case "immediate" where has(NFTNL_EXPR_IMM_VERDICT):
            self = .verdict(
                Int32(bitPattern: number(NFTNL_EXPR_IMM_VERDICT)), chain: text(NFTNL_EXPR_IMM_CHAIN))
        case "counter":
            self = .counter(
                packets: nftnl_expr_get_u64(expression, UInt16(NFTNL_EXPR_CTR_PACKETS)),
                bytes: nftnl_expr_get_u64(expression, UInt16(NFTNL_EXPR_CTR_BYTES)))
        case "lookup":
            // Verdicts use register 0.
            self = .lookup(
                register: register(NFTNL_EXPR_LOOKUP_SREG), set: text(NFTNL_EXPR_LOOKUP_SET) ?? "",
                isInverted: has(NFTNL_EXPR_LOOKUP_FLAGS) && number(NFTNL_EXPR_LOOKUP_FLAGS) & 1 != 0,
                decides: has(NFTNL_EXPR_LOOKUP_DREG) && number(NFTNL_EXPR_LOOKUP_DREG) == 0)
        case "reject": self = .reject
        case "match":
            let name = text(NFTNL_EXPR_MT_NAME) ?? ""
            self = Self.match(name, number(NFTNL_EXPR_MT_REV), bytes(NFTNL_EXPR_MT_INFO)) ?? .match(name)
        case "range":
            self = .range(
                register: register(NFTNL_EXPR_RANGE_SREG), isInverted: number(NFTNL_EXPR_RANGE_OP) != 0,
                from: bytes(NFTNL_EXPR_RANGE_FROM_DATA), to: bytes(NFTNL_EXPR_RANGE_TO_DATA))
        case "fib"
        where number(NFTNL_EXPR_FIB_RESULT) == NFT_FIB_RESULT_ADDRTYPE.rawValue
            && number(NFTNL_EXPR_FIB_FLAGS) & NFTA_FIB_F_DADDR.rawValue != 0:
            self = .destinationType(register: register(NFTNL_EXPR_FIB_DREG))
        case "target": self = .target(text(NFTNL_EXPR_TG_NAME) ?? "")
        case "log", "notrack", "immediate", "rt", "byteorder": self = .harmless
        default: self = .unknown
        }
    }

    /// Whether two steps are equal, except for the values of counters.
    func says(_ other: RulesetStep) -> Bool {
        if case .counter = self, case .counter = other { return true }
        return self == other
    }

    /// Reads an iptables match, laid out as in linux/netfilter/xt_*.h; nil if it is not understood.
    private static func match(_ name: String, _ revision: UInt32, _ info: [UInt8]) -> RulesetStep? {
        func number(_ offset: Int) -> UInt16 {
            info.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt16.self) }
        }
        func ports(_ first: UInt16, _ last: UInt16) -> [ClosedRange<UInt16>] {
            first <= last ? [first...last] : []
        }
        switch name {
        case "conntrack" where revision >= 2: return stateMatch(info)
        case "tcp" where info.count >= 12:
            // xt_tcp: source ports, destination ports, option, flag mask and value, inversions.
            let asksMore = number(0) != 0 || number(2) != .max || info[8] != 0 || info[9] != 0
            return .ports(ports(number(4), number(6)), isInverted: info[11] & 2 != 0, isAll: !asksMore)
        case "udp" where info.count >= 9:
            let asksMore = number(0) != 0 || number(2) != .max
            return .ports(ports(number(4), number(6)), isInverted: info[8] & 2 != 0, isAll: !asksMore)
        case "multiport" where revision == 1 && info.count >= 48:
            // xt_multiport_v1: side (1 destination, 2 either), count, 15 ports, a range flag for each, inversion.
            guard info[0] > 0, info[1] <= 15 else { return nil }
            var (list, index) = ([ClosedRange<UInt16>](), 0)
            while index < Int(info[1]) {
                let first = number(2 + 2 * index)
                let isRange = info[32 + index] != 0 && index + 1 < Int(info[1])
                list += ports(first, isRange ? number(4 + 2 * index) : first)
                index += isRange ? 2 : 1
            }
            return .ports(list, isInverted: info[47] != 0, isAll: info[0] == 1)
        case "addrtype" where revision == 1 && info.count >= 8:
            // xt_addrtype_info_v1: source types, destination types, flags (2: the destination is inverted).
            let flags = number(4)
            return .destinationTypes(
                number(2), isInverted: flags & 2 != 0, isAll: number(0) == 0 && number(2) != 0)
        default: return nil
        }
    }

    /// Reads a `xt_conntrack_mtinfo2` or `xt_conntrack_mtinfo3`; nil if it does not test states.
    private static func stateMatch(_ info: [UInt8]) -> RulesetStep? {
        guard info.count >= 154 else { return nil }
        func number(_ offset: Int) -> UInt16 {
            info.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt16.self) }
        }
        // Ignores XT_CONNTRACK_STATE_ALIAS, which only records the spelling. XT_CONNTRACK_STATE is 1.
        let asked = number(146) & ~(1 << 13)
        guard asked & 1 != 0 else { return nil }
        return .states(number(150), isInverted: number(148) & 1 != 0, isAll: asked == 1)
    }
}
