/// A set or a map of a table. Its elements change while the table stays.
struct FirewallSet: Hashable, Sendable {
    let name: String
    let key: [FirewallField]
    /// The value a key maps to; empty for a set.
    var data: [FirewallField] = []
    /// Whether each element counts the packets that matched it.
    var counts = false
    /// Lifetime of an element in ms; nil means unlimited. A set with a timeout also has a maximum size.
    var timeout: UInt64?

    /// Maximum number of elements of a set with a timeout.
    static let maximumSize: UInt32 = 1 << 16
}

/// The elements of a table's sets: for each set name, the keys and their data.
typealias FirewallElements = [String: [[UInt8]: [UInt8]]]

extension FirewallElements {
    /// The total number of elements.
    var elementCount: Int { values.reduce(0) { $0 + $1.count } }

    /// The elements that `other` lacks, or has with different data.
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
