import CNetlink
import Glibc

/// Changes of nftables that the kernel makes all at once or not at all.
struct FirewallBatch: ~Copyable {
    /// NFPROTO_INET: IPv4 and IPv6 in one table.
    static let inet: UInt16 = 1
    /// What usually fits one message to the kernel, in bytes; some 400 rules.
    static let capacity = 128 << 10
    /// What an element of a set takes at the most, in bytes.
    private static let elementSize = 128
    /// What a single message may take at the most.
    private static let reserve = 64 << 10

    private let buffer: UnsafeMutableRawPointer
    private let batch: OpaquePointer
    private var sequence: UInt32 = 0
    private var isFull = false

    /// - Parameter elements: how many elements of sets it has to have room for.
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

    /// Puts the table in place of one of the same name, if there is one.
    mutating func replace(_ table: FirewallTable) throws(HostError) {
        // A table that is not there can't be removed, and adding one that is there changes nothing.
        try add(table.name)
        try remove(table.name)
        try add(table.name)
        for set in table.sets { try add(set, to: table.name) }
        for chain in table.chains { try add(chain, to: table.name) }
    }

    /// Puts other rules into the table's chains, which stay.
    mutating func replaceRules(_ table: FirewallTable) throws(HostError) {
        for chain in table.chains {
            try clear(chain.name, of: table.name)
            for rule in chain.rules { try add(rule, to: chain.name, of: table.name) }
        }
    }

    /// Removes the table and all in it.
    mutating func remove(_ table: String) throws(HostError) {
        try self.table(table, NFT_MSG_DELTABLE, flags: 0)
    }

    /// All messages, closed; nothing may be added any more.
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

    /// Removes a chain's rules.
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
            // A type, a length and a string with its zero: nft's way to keep a comment.
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

    /// The first command's success is acknowledged, and with it all: what fails says so anyway.
    mutating func header(
        _ message: nf_tables_msg_types, flags: UInt16
    ) -> UnsafeMutablePointer<nlmsghdr> {
        let number = next()
        let acknowledged = number == 2 ? UInt16(NLM_F_ACK) : 0
        return nftnl_nlmsg_build_hdr(
            current, UInt16(message.rawValue), Self.inet, flags | acknowledged, number)
    }

    mutating func advance() {
        // Once it is full, what is added last is built over what was before.
        if !isFull, !mnl_nlmsg_batch_next(batch) { isFull = true }
    }
}
