import CNetlink

/// The elements of another program's set or verdict map.
struct RulesetSet: Hashable, Sendable {
    /// The limit on elements read from one set.
    static let maximumElements = 4096

    /// A value, or one end of a range.
    struct Element: Hashable, Sendable {
        let key: [UInt8]
        /// The last value of a range whose two ends the kernel keeps in one element; empty otherwise.
        let last: [UInt8]
        /// Whether a range ends before this value.
        let isEnd: Bool
        /// The verdict, in a verdict map: NF_ACCEPT, NFT_JUMP and so on, with the chain of a jump.
        let verdict: RulesetStep?
    }

    let elements: [Element]
    /// Whether all elements were read.
    let isWhole: Bool

    /// The element that contains a value; nil if there is none. `isKnown` is false if too little was read to tell.
    func element(of value: [UInt8]) -> (element: Element?, isKnown: Bool) {
        if let both = elements.first(where: {
            !$0.last.isEmpty && !value.lexicographicallyPrecedes($0.key)
                && !$0.last.lexicographicallyPrecedes(value)
        }) {
            return (both, true)
        }
        if let exact = elements.first(where: { $0.key == value && !$0.isEnd }) { return (exact, true) }
        guard isWhole else { return (nil, false) }
        guard elements.contains(where: \.isEnd) else { return (nil, true) }
        // An interval set lists the first value of each range and the first value after it.
        let before = elements.filter { !value.lexicographicallyPrecedes($0.key) }
        // Where adjacent ranges meet, the start of the second one counts.
        let nearest = before.max {
            $0.key == $1.key ? $0.isEnd && !$1.isEnd : $0.key.lexicographicallyPrecedes($1.key)
        }
        return (nearest.flatMap { $0.isEnd ? nil : $0 }, true)
    }
}

extension RulesetSet.Element {
    /// Reads a `nftnl_set_elem`.
    init(_ element: OpaquePointer) {
        key = FirewallSocket.bytes(NFTNL_SET_ELEM_KEY, of: element)
        last = FirewallSocket.bytes(NFTNL_SET_ELEM_KEY_END, of: element)
        // NFT_SET_ELEM_INTERVAL_END
        isEnd =
            nftnl_set_elem_is_set(element, UInt16(NFTNL_SET_ELEM_FLAGS))
            && nftnl_set_elem_get_u32(element, UInt16(NFTNL_SET_ELEM_FLAGS)) & 1 != 0
        guard nftnl_set_elem_is_set(element, UInt16(NFTNL_SET_ELEM_VERDICT)) else {
            verdict = nil
            return
        }
        let chain = nftnl_set_elem_get_str(element, UInt16(NFTNL_SET_ELEM_CHAIN)).map { String(cString: $0) }
        verdict = .verdict(
            Int32(bitPattern: nftnl_set_elem_get_u32(element, UInt16(NFTNL_SET_ELEM_VERDICT))), chain: chain)
    }
}
