import CNetlink
import Glibc

// Sets and their elements.
extension FirewallBatch {
    /// Elements in a message: the length of an attribute is 16 bits, and an element takes at most some 100 bytes.
    private static let elementsPerMessage = 256

    mutating func add(_ set: FirewallSet, to table: String) throws(HostError) {
        let object = try Self.object(set.name, of: table)
        defer { nftnl_set_free(object) }
        // Any number unique within the batch.
        nftnl_set_set_u32(object, UInt16(NFTNL_SET_ID.rawValue), next())
        nftnl_set_set_u32(object, UInt16(NFTNL_SET_KEY_TYPE.rawValue), FirewallField.type(of: set.key))
        nftnl_set_set_u32(object, UInt16(NFTNL_SET_KEY_LEN.rawValue), UInt32(FirewallField.size(of: set.key)))
        var flags = 0
        if !set.data.isEmpty {
            flags |= Int(NFT_SET_MAP.rawValue)
            nftnl_set_set_u32(object, UInt16(NFTNL_SET_DATA_TYPE.rawValue), FirewallField.type(of: set.data))
            nftnl_set_set_u32(
                object, UInt16(NFTNL_SET_DATA_LEN.rawValue), UInt32(FirewallField.size(of: set.data)))
        }
        if let timeout = set.timeout {
            flags |= Int(NFT_SET_TIMEOUT.rawValue)
            nftnl_set_set_u64(object, UInt16(NFTNL_SET_TIMEOUT.rawValue), timeout)
            nftnl_set_set_u32(object, UInt16(NFTNL_SET_DESC_SIZE.rawValue), FirewallSet.maximumSize)
        }
        nftnl_set_set_u32(object, UInt16(NFTNL_SET_FLAGS.rawValue), UInt32(flags))
        if set.counts {
            nftnl_set_add_expr(object, try FirewallExpression.counter.object())
        }
        nftnl_set_nlmsg_build_payload(header(NFT_MSG_NEWSET, flags: UInt16(NLM_F_CREATE)), object)
        advance()
    }

    /// Adds elements to the table's sets; existing ones stay.
    mutating func add(_ elements: FirewallElements, to table: String) throws(HostError) {
        try self.elements(elements, table, NFT_MSG_NEWSETELEM, flags: UInt16(NLM_F_CREATE))
    }

    /// Removes elements from the table's sets.
    mutating func remove(_ elements: FirewallElements, from table: String) throws(HostError) {
        try self.elements(elements, table, NFT_MSG_DELSETELEM, flags: 0)
    }

    private mutating func elements(
        _ elements: FirewallElements, _ table: String, _ message: nf_tables_msg_types, flags: UInt16
    ) throws(HostError) {
        for (set, pairs) in elements.sorted(by: { $0.key < $1.key }) {
            let pairs = Array(pairs)
            for start in stride(from: 0, to: pairs.count, by: Self.elementsPerMessage) {
                let object = try Self.object(set, of: table)
                defer { nftnl_set_free(object) }
                for (key, data) in pairs[start..<min(start + Self.elementsPerMessage, pairs.count)] {
                    guard let element = nftnl_set_elem_alloc() else { throw Self.outOfMemory }
                    nftnl_set_elem_set(
                        element, UInt16(NFTNL_SET_ELEM_KEY), key, UInt32(key.count))
                    if !data.isEmpty {
                        nftnl_set_elem_set(
                            element, UInt16(NFTNL_SET_ELEM_DATA), data, UInt32(data.count))
                    }
                    // The set takes ownership of the element.
                    nftnl_set_elem_add(object, element)
                }
                nftnl_set_elems_nlmsg_build_payload(header(message, flags: flags), object)
                advance()
            }
        }
    }

    /// libnftnl's object for a set, which names it in a request.
    private static func object(_ set: String, of table: String) throws(HostError) -> OpaquePointer {
        guard let object = nftnl_set_alloc() else { throw outOfMemory }
        nftnl_set_set_u32(object, UInt16(NFTNL_SET_FAMILY.rawValue), UInt32(inet))
        nftnl_set_set_str(object, UInt16(NFTNL_SET_TABLE.rawValue), table)
        nftnl_set_set_str(object, UInt16(NFTNL_SET_NAME.rawValue), set)
        return object
    }
}
