/// A set or a map of a table. What is in it changes while the table stays.
struct FirewallSet: Hashable, Sendable {
    let name: String
    let key: [FirewallField]
    /// What a key leads to; none in a set.
    var data: [FirewallField] = []
    /// Whether each element counts the packets that were looked up.
    var counts = false
    /// After how long an element is gone, in ms; nil: it stays. Such a set also has a size.
    var timeout: UInt64?

    /// The most elements of a set whose elements go by themselves.
    static let maximumSize: UInt32 = 1 << 16
}

/// What is in a table's sets: by the set's name each element's key and what that leads to.
typealias FirewallElements = [String: [[UInt8]: [UInt8]]]

extension FirewallElements {
    /// How many elements there are in all.
    var elementCount: Int { values.reduce(0) { $0 + $1.count } }

    /// What is here and not, or not the same, in the other.
    func subtracting(_ other: FirewallElements) -> FirewallElements {
        var rest: FirewallElements = [:]
        for (name, elements) in self {
            let others = other[name] ?? [:]
            let left = elements.filter { others[$0.key] != $0.value }
            if !left.isEmpty { rest[name] = left }
        }
        return rest
    }
}
