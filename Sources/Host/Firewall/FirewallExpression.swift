import CNetlink
import Glibc
import Packet

/// One step of a rule. Each step works on the value the previous one loaded; the first comparison that fails
/// ends the rule. All use the first register, except those that load several values next to each other for a
/// lookup: slots are 4 bytes apart.
enum FirewallExpression: Hashable, Sendable {
    /// Loads a packet property (`NFT_META_…`).
    case meta(nft_meta_keys, slot: UInt32 = 0)
    /// Loads bytes of a header.
    case payload(nft_payload_bases, offset: Int, length: Int, slot: UInt32 = 0)
    /// Writes the loaded value over bytes of the network header, and corrects the header's checksum at that
    /// offset if it has one.
    case writeHeader(offset: Int, length: Int, checksum: Int? = nil)
    /// Loads the number of the sender's control group, or of its parent at that level of the hierarchy, in
    /// host order.
    case controlGroup(level: UInt32)
    /// Loads conntrack data about the packet's connection (`NFT_CT_…`), in host order except for addresses and
    /// ports; for one direction where that matters.
    case connection(nft_ct_keys, of: ConnectionDirection? = nil, slot: UInt32 = 0)
    /// Loads the destination's address type on this host (`RTN_…`), in host order.
    case destinationType
    /// Loads a constant.
    case load([UInt8], slot: UInt32 = 0)
    /// Loads the TCP segment size that the routes of both directions allow, in host order.
    case routeSegmentSize
    /// Keeps the bits of the mask, and then sets those of `setting`.
    case mask([UInt8], setting: [UInt8]? = nil)
    /// Converts two bytes to network order.
    case networkOrder
    /// Continues if the loaded value compares with these bytes.
    case compare(nft_cmp_ops, [UInt8])
    /// Lowers the maximum segment size of a SYN to the loaded value; the kernel never raises it.
    case lowerSegmentSize
    /// Continues if a set of the table contains the loaded value; a map's data replaces the value.
    case lookup(String, isMap: Bool = false)
    /// Sets the packet's mark to the loaded value.
    case setMark
    /// Sets the connection's mark to the loaded value.
    case setConnectionMark
    /// Counts the packet.
    case counter
    /// Changes the connection's destination to the loaded address of this family, followed by a port.
    case destinationNAT(IPAddress.Family)
    /// Replaces the source address by that of the output interface.
    case masquerade
    /// Ends the chain.
    case verdict(FirewallVerdict)

    /// libnftnl's object, of which the rule takes ownership.
    func object() throws(HostError) -> OpaquePointer {
        let register = NFT_REG_1.rawValue
        switch self {
        case .meta(let key, let slot):
            return try Self.make("meta") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_META_KEY), key.rawValue)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_META_DREG), Self.register(slot))
            }
        case .payload(let base, let offset, let length, let slot):
            return try Self.make("payload") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_PAYLOAD_DREG), Self.register(slot))
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_PAYLOAD_BASE), base.rawValue)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_PAYLOAD_OFFSET), UInt32(offset))
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_PAYLOAD_LEN), UInt32(length))
            }
        case .writeHeader(let offset, let length, let checksum):
            return try Self.make("payload") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_PAYLOAD_SREG), register)
                nftnl_expr_set_u32(
                    $0, UInt16(NFTNL_EXPR_PAYLOAD_BASE), NFT_PAYLOAD_NETWORK_HEADER.rawValue)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_PAYLOAD_OFFSET), UInt32(offset))
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_PAYLOAD_LEN), UInt32(length))
                guard let checksum else { return }
                nftnl_expr_set_u32(
                    $0, UInt16(NFTNL_EXPR_PAYLOAD_CSUM_TYPE), NFT_PAYLOAD_CSUM_INET.rawValue)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_PAYLOAD_CSUM_OFFSET), UInt32(checksum))
            }
        case .controlGroup(let level):
            return try Self.make("socket") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_SOCKET_KEY), NFT_SOCKET_CGROUPV2.rawValue)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_SOCKET_DREG), register)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_SOCKET_LEVEL), level)
            }
        case .connection(let key, let direction, let slot):
            return try Self.make("ct") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_CT_KEY), key.rawValue)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_CT_DREG), Self.register(slot))
                if let direction { nftnl_expr_set_u8($0, UInt16(NFTNL_EXPR_CT_DIR), direction.rawValue) }
            }
        case .destinationType:
            return try Self.make("fib") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_FIB_DREG), register)
                nftnl_expr_set_u32(
                    $0, UInt16(NFTNL_EXPR_FIB_RESULT), NFT_FIB_RESULT_ADDRTYPE.rawValue)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_FIB_FLAGS), NFTA_FIB_F_DADDR.rawValue)
            }
        case .load(let bytes, let slot):
            return try Self.make("immediate") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_IMM_DREG), Self.register(slot))
                nftnl_expr_set($0, UInt16(NFTNL_EXPR_IMM_DATA), bytes, UInt32(bytes.count))
            }
        case .routeSegmentSize:
            return try Self.make("rt") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_RT_KEY), NFT_RT_TCPMSS.rawValue)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_RT_DREG), register)
            }
        case .mask(let mask, let setting):
            return try Self.make("bitwise") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_BITWISE_SREG), register)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_BITWISE_DREG), register)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_BITWISE_LEN), UInt32(mask.count))
                nftnl_expr_set($0, UInt16(NFTNL_EXPR_BITWISE_MASK), mask, UInt32(mask.count))
                let bits = setting ?? [UInt8](repeating: 0, count: mask.count)
                nftnl_expr_set($0, UInt16(NFTNL_EXPR_BITWISE_XOR), bits, UInt32(bits.count))
            }
        case .networkOrder:
            return try Self.make("byteorder") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_BYTEORDER_SREG), register)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_BYTEORDER_DREG), register)
                nftnl_expr_set_u32(
                    $0, UInt16(NFTNL_EXPR_BYTEORDER_OP), NFT_BYTEORDER_HTON.rawValue)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_BYTEORDER_LEN), 2)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_BYTEORDER_SIZE), 2)
            }
        case .compare(let operation, let bytes):
            return try Self.make("cmp") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_CMP_SREG), register)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_CMP_OP), operation.rawValue)
                nftnl_expr_set($0, UInt16(NFTNL_EXPR_CMP_DATA), bytes, UInt32(bytes.count))
            }
        case .lowerSegmentSize:
            return try Self.make("exthdr") {
                // TCP option 2 (RFC 9293), the two bytes at offset 2.
                nftnl_expr_set_u8($0, UInt16(NFTNL_EXPR_EXTHDR_TYPE), 2)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_EXTHDR_OFFSET), 2)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_EXTHDR_LEN), 2)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_EXTHDR_OP), NFT_EXTHDR_OP_TCPOPT.rawValue)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_EXTHDR_SREG), register)
            }
        case .lookup(let set, let isMap):
            return try Self.make("lookup") {
                nftnl_expr_set_str($0, UInt16(NFTNL_EXPR_LOOKUP_SET), set)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_LOOKUP_SREG), register)
                if isMap { nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_LOOKUP_DREG), register) }
            }
        case .setMark:
            return try Self.make("meta") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_META_KEY), NFT_META_MARK.rawValue)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_META_SREG), register)
            }
        case .setConnectionMark:
            return try Self.make("ct") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_CT_KEY), NFT_CT_MARK.rawValue)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_CT_SREG), register)
            }
        case .destinationNAT(let family):
            return try Self.make("nat") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_NAT_TYPE), NFT_NAT_DNAT.rawValue)
                // NFPROTO_IPV4, NFPROTO_IPV6
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_NAT_FAMILY), family == .v4 ? 2 : 10)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_NAT_REG_ADDR_MIN), register)
                nftnl_expr_set_u32(
                    $0, UInt16(NFTNL_EXPR_NAT_REG_PROTO_MIN), Self.register(family == .v4 ? 1 : 4))
            }
        case .counter: return try Self.make("counter") { _ in }
        case .masquerade: return try Self.make("masq") { _ in }
        case .verdict(.reset):
            return try Self.make("reject") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_REJECT_TYPE), NFT_REJECT_TCP_RST.rawValue)
                nftnl_expr_set_u8($0, UInt16(NFTNL_EXPR_REJECT_CODE), 0)
            }
        case .verdict(.reject):
            return try Self.make("reject") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_REJECT_TYPE), NFT_REJECT_ICMPX_UNREACH.rawValue)
                nftnl_expr_set_u8(
                    $0, UInt16(NFTNL_EXPR_REJECT_CODE), UInt8(NFT_REJECT_ICMPX_ADMIN_PROHIBITED.rawValue))
            }
        case .verdict(let verdict):
            return try Self.make("immediate") {
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_IMM_DREG), NFT_REG_VERDICT.rawValue)
                nftnl_expr_set_u32($0, UInt16(NFTNL_EXPR_IMM_VERDICT), verdict == .accept ? 1 : 0)
            }
        }
    }

    /// The register of a slot, counted from the first one.
    private static func register(_ slot: UInt32) -> UInt32 {
        slot == 0 ? NFT_REG_1.rawValue : NFT_REG32_00.rawValue + slot
    }

    static func make(
        _ name: String, _ set: (OpaquePointer) -> Void
    ) throws(HostError) -> OpaquePointer {
        guard let object = nftnl_expr_alloc(name) else {
            throw .firewall("build a firewall rule", errno: ENOMEM)
        }
        set(object)
        return object
    }
}
