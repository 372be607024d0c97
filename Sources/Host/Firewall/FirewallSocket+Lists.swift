import CNetlink
import Glibc

// Lists tables, chains and rules of any origin.
extension FirewallSocket {
    /// The names of the tables of family `inet`.
    borrowing func inetTables() throws(HostError) -> [String] {
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
    borrowing func chains() throws(HostError) -> [RulesetChain] {
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

    /// The base chains of hook `input` that drop packets no rule accepts, as nft names them: `inet filter input`.
    package borrowing func droppingInput() throws(HostError) -> [String] {
        let families: [UInt16: String] = [1: "inet", 2: "ip", 10: "ip6"]
        // NF_INET_LOCAL_IN
        return try chains().filter { $0.drops && $0.hook == 1 }.compactMap { chain in
            families[chain.family].map { "\($0) \(chain.table) \(chain.name)" }
        }
    }

    /// The rules of a table, or of one of its chains, in order. Empty if there is no such table.
    borrowing func rules(
        family: UInt16, table: String, chain: String? = nil
    ) throws(HostError) -> [RulesetRule] {
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

    /// The elements of another program's set or map, up to `RulesetSet.maximumElements`.
    borrowing func set(_ name: String, family: UInt16, table: String) throws(HostError) -> RulesetSet {
        var elements: [RulesetSet.Element] = []
        var isWhole = true
        try listElements(of: name, family: family, table: table) { element in
            if elements.count < RulesetSet.maximumElements {
                elements.append(RulesetSet.Element(element))
            } else {
                isWhole = false
            }
        }
        return RulesetSet(elements: elements, isWhole: isWhole)
    }
    /// Passes on the elements of a set or map one by one, each a `nftnl_set_elem`.
    borrowing func listElements(
        of set: String, family: UInt16, table: String, _ body: (OpaquePointer) -> Void
    ) throws(HostError) {
        guard let wanted = nftnl_set_alloc() else { throw .firewall("list a firewall set", errno: ENOMEM) }
        defer { nftnl_set_free(wanted) }
        nftnl_set_set_str(wanted, UInt16(NFTNL_SET_TABLE.rawValue), table)
        nftnl_set_set_str(wanted, UInt16(NFTNL_SET_NAME.rawValue), set)
        try list(
            NFT_MSG_GETSETELEM, family: family, "list a firewall set",
            fill: { nftnl_set_elems_nlmsg_build_payload($0, wanted) }
        ) { message in
            guard let part = nftnl_set_alloc() else { return }
            defer { nftnl_set_free(part) }
            guard nftnl_set_elems_nlmsg_parse(message, part) >= 0,
                let iterator = nftnl_set_elems_iter_create(part)
            else { return }
            defer { nftnl_set_elems_iter_destroy(iterator) }
            // Unlike other libnftnl iterators, this one returns the first element first.
            while let element = nftnl_set_elems_iter_next(iterator) { body(element) }
        }
    }

    /// The bytes of an attribute of a `nftnl_set_elem`; empty if it does not have it.
    static func bytes(_ attribute: Int, of element: OpaquePointer) -> [UInt8] {
        var count: UInt32 = 0
        guard nftnl_set_elem_is_set(element, UInt16(attribute)),
            let data = nftnl_set_elem_get(element, UInt16(attribute), &count)
        else { return [] }
        return Array(UnsafeRawBufferPointer(start: data, count: Int(count)))
    }
}
