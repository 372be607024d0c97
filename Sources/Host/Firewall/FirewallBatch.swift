import CNetlink
import Glibc

/// Changes to nftables that the kernel applies atomically.
struct FirewallBatch: ~Copyable {
    /// NFPROTO_INET: IPv4 and IPv6 in one table.
    static let inet: UInt16 = 1
    /// The usual capacity of one message to the kernel in bytes; some 400 rules.
    static let capacity = 128 << 10
    /// Maximum size of a set element in bytes.
    private static let elementSize = 128
    /// Maximum size of a single message in bytes.
    private static let reserve = 64 << 10

    private let buffer: UnsafeMutableRawPointer
    private let batch: OpaquePointer
    private var sequence: UInt32 = 0
    private var isFull = false

    /// - Parameter elements: number of set elements to reserve room for.
    init(elements: Int = 0) throws(HostError) {
        let capacity = Self.capacity + elements * Self.elementSize
        buffer = .allocate(byteCount: capacity + Self.reserve, alignment: 16)
        guard let batch = mnl_nlmsg_batch_start(buffer, capacity) else {
            buffer.deallocate()
            throw .firewall("build a firewall table", errno: ENOMEM)
        }
        self.batch = batch
        _ = nftnl_batch_begin(current, next())
        advance()
    }

    deinit {
        mnl_nlmsg_batch_stop(batch)
        buffer.deallocate()
    }

    /// Replaces the table of the same name, or creates it.
    mutating func replace(_ table: FirewallTable) throws(HostError) {
        // Removing a missing table fails, and adding an existing one changes nothing; hence add, remove, add.
        try add(table.name)
        try remove(table.name)
        try add(table.name)
        for set in table.sets { try add(set, to: table.name) }
        for chain in table.chains { try add(chain, to: table.name) }
    }

    /// Replaces the rules in the table's chains; the chains stay.
    mutating func replaceRules(_ table: FirewallTable) throws(HostError) {
        for chain in table.chains {
            try clear(chain.name, of: table.name)
            for rule in chain.rules { try add(rule, to: chain.name, of: table.name) }
        }
    }

    /// Removes the table and everything in it.
    mutating func remove(_ table: String) throws(HostError) {
        try self.table(table, NFT_MSG_DELTABLE, flags: 0)
    }

    /// The finished messages; nothing may be added afterwards.
    mutating func finish() throws(HostError) -> UnsafeRawBufferPointer {
        _ = nftnl_batch_end(current, next())
        advance()
        if isFull { throw .firewall("build a firewall table of that many rules", errno: EMSGSIZE) }
        return UnsafeRawBufferPointer(
            start: mnl_nlmsg_batch_head(batch), count: mnl_nlmsg_batch_size(batch))
    }

    private mutating func add(_ table: String) throws(HostError) {
        try self.table(table, NFT_MSG_NEWTABLE, flags: UInt16(NLM_F_CREATE))
    }

    private mutating func table(
        _ name: String, _ message: nf_tables_msg_types, flags: UInt16
    ) throws(HostError) {
        guard let object = nftnl_table_alloc() else { throw Self.outOfMemory }
        defer { nftnl_table_free(object) }
        nftnl_table_set_u32(object, UInt16(NFTNL_TABLE_FAMILY.rawValue), UInt32(Self.inet))
        nftnl_table_set_str(object, UInt16(NFTNL_TABLE_NAME.rawValue), name)
        nftnl_table_nlmsg_build_payload(header(message, flags: flags), object)
        advance()
    }

    private mutating func add(_ chain: FirewallChain, to table: String) throws(HostError) {
        guard let object = nftnl_chain_alloc() else { throw Self.outOfMemory }
        defer { nftnl_chain_free(object) }
        nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_TABLE.rawValue), table)
        nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_NAME.rawValue), chain.name)
        nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_TYPE.rawValue), chain.kind.rawValue)
        nftnl_chain_set_u32(object, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue), chain.hook.rawValue)
        nftnl_chain_set_s32(object, UInt16(NFTNL_CHAIN_PRIO.rawValue), chain.priority)
        // NF_ACCEPT
        nftnl_chain_set_u32(object, UInt16(NFTNL_CHAIN_POLICY.rawValue), 1)
        nftnl_chain_nlmsg_build_payload(header(NFT_MSG_NEWCHAIN, flags: UInt16(NLM_F_CREATE)), object)
        advance()
        for rule in chain.rules { try add(rule, to: chain.name, of: table) }
    }

    /// Removes all rules of a chain.
    private mutating func clear(_ chain: String, of table: String) throws(HostError) {
        guard let object = nftnl_rule_alloc() else { throw Self.outOfMemory }
        defer { nftnl_rule_free(object) }
        nftnl_rule_set_u32(object, UInt16(NFTNL_RULE_FAMILY.rawValue), UInt32(Self.inet))
        nftnl_rule_set_str(object, UInt16(NFTNL_RULE_TABLE.rawValue), table)
        nftnl_rule_set_str(object, UInt16(NFTNL_RULE_CHAIN.rawValue), chain)
        nftnl_rule_nlmsg_build_payload(header(NFT_MSG_DELRULE, flags: 0), object)
        advance()
    }

    private mutating func add(
        _ rule: FirewallRule, to chain: String, of table: String
    ) throws(HostError) {
        guard let object = nftnl_rule_alloc() else { throw Self.outOfMemory }
        defer { nftnl_rule_free(object) }
        nftnl_rule_set_u32(object, UInt16(NFTNL_RULE_FAMILY.rawValue), UInt32(Self.inet))
        nftnl_rule_set_str(object, UInt16(NFTNL_RULE_TABLE.rawValue), table)
        nftnl_rule_set_str(object, UInt16(NFTNL_RULE_CHAIN.rawValue), chain)
        for expression in rule.expressions { nftnl_rule_add_expr(object, try expression.object()) }
        if let comment = rule.comment {
            // Type, length and a zero-terminated string: nft's encoding of a comment.
            let text = Array(comment.utf8.prefix(127)) + [0]
            let data = [UInt8(NFTNL_UDATA_RULE_COMMENT.rawValue), UInt8(text.count)] + text
            nftnl_rule_set_data(object, UInt16(NFTNL_RULE_USERDATA.rawValue), data, UInt32(data.count))
        }
        nftnl_rule_nlmsg_build_payload(
            header(NFT_MSG_NEWRULE, flags: UInt16(NLM_F_CREATE) | UInt16(NLM_F_APPEND)), object)
        advance()
    }

    // MARK: Messages

    static var outOfMemory: HostError { .firewall("build a firewall table", errno: ENOMEM) }

    private var current: UnsafeMutablePointer<CChar> {
        mnl_nlmsg_batch_current(batch).assumingMemoryBound(to: CChar.self)
    }

    mutating func next() -> UInt32 {
        sequence += 1
        return sequence
    }

    /// Requests an acknowledgement only for the first command: the batch succeeds as a whole, and failures are
    /// always reported.
    mutating func header(
        _ message: nf_tables_msg_types, flags: UInt16
    ) -> UnsafeMutablePointer<nlmsghdr> {
        let number = next()
        let acknowledged = number == 2 ? UInt16(NLM_F_ACK) : 0
        return nftnl_nlmsg_build_hdr(
            current, UInt16(message.rawValue), Self.inet, flags | acknowledged, number)
    }

    mutating func advance() {
        // Once the batch is full, each further message overwrites the previous one.
        if !isFull, !mnl_nlmsg_batch_next(batch) { isFull = true }
    }
}
