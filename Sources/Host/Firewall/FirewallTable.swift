/// One of bondd's tables in the family `inet`. It is always replaced as a whole, except for the elements of its
/// sets.
package struct FirewallTable: Hashable, Sendable {
    /// The name in `nft list tables`.
    package let name: String
    let sets: [FirewallSet]
    let chains: [FirewallChain]

    init(name: String, sets: [FirewallSet] = [], chains: [FirewallChain]) {
        (self.name, self.sets, self.chains) = (name, sets, chains)
    }

    /// The name of a tunnel's table: the base for bond0, with the interface appended for others. Characters
    /// that nft could not parse in a name are written in hexadecimal.
    static func name(_ base: String, interface: String) -> String {
        if interface == "bond0" { return base }
        let letters = interface.utf8.map { byte in
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || byte == 45 || byte == 95
            return isPlain ? String(UnicodeScalar(byte)) : "." + String(byte, radix: 16)
        }
        return base + "." + letters.joined()
    }

    /// The inverse of `name(_:interface:)`: the interface of a table with this base, or nil for any other table.
    static func interface(of name: String, base: String) -> String? {
        if name == base { return "bond0" }
        guard name.hasPrefix(base + ".") else { return nil }
        var bytes: [UInt8] = []
        var rest = Array(name.utf8.dropFirst(base.utf8.count + 1))[...]
        while let byte = rest.popFirst() {
            guard byte == 0x2E else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        let interface = String(decoding: bytes, as: UTF8.self)
        return !interface.isEmpty && self.name(base, interface: interface) == name ? interface : nil
    }

    /// The bases of all tables except the kill switch's, which is the only one to outlive bondd.
    private static let passing = ["bondd", "bondd_services", "bondd_return", "bondd_lan", "bondd_class"]

    /// The interface whose tunnel a table belongs to, or nil for kill switches and other programs' tables.
    static func passingInterface(_ name: String) -> String? {
        passing.lazy.compactMap { interface(of: name, base: $0) }.first
    }
}
