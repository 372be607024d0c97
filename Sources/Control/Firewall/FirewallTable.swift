/// A table of ours in the family `inet`, as a whole: nothing of it is ever changed singly, but for what is in its sets.
public struct FirewallTable: Hashable, Sendable {
    /// Its name in `nft list tables`.
    public let name: String
    let sets: [FirewallSet]
    let chains: [FirewallChain]

    init(name: String, sets: [FirewallSet] = [], chains: [FirewallChain]) {
        (self.name, self.sets, self.chains) = (name, sets, chains)
    }

    /// How many rules it has in all.
    var ruleCount: Int { chains.reduce(0) { $0 + $1.rules.count } }

    /// The name of a tunnel's table: the usual one for bond0, with the interface behind it for another. What nft would not
    /// read back in a name becomes hexadecimal.
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
}
