import Packet

/// An address with a prefix length, such as `10.77.0.2/24`: an interface's address if any host bit is set, a
/// network if none is.
package struct CIDR: Hashable, Sendable, CustomStringConvertible {
    /// The address, host bits included.
    package let address: IPAddress
    /// The prefix length in bits, 0…32 or 0…128.
    package let length: Int

    /// An address and prefix length; nil if the length exceeds the family's address size.
    package init?(_ address: IPAddress, length: Int) {
        guard (0...address.byteCount * 8).contains(length) else { return nil }
        self.address = address
        self.length = length
    }

    /// Parses `ADDRESS/LENGTH`; nil if `text` has another form.
    package init?(_ text: String) {
        guard let slash = text.lastIndex(of: "/"), let address = IPAddress(String(text[..<slash])) else {
            return nil
        }
        let digits = text[text.index(after: slash)...]
        guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let length = Int(digits)
        else { return nil }
        self.init(address, length: length)
    }

    /// The network: the same prefix with all host bits clear.
    package var network: CIDR { CIDR(address.masked(to: length), length: length)! }

    /// Whether `other` is in the same network.
    package func contains(_ other: IPAddress) -> Bool { address.matches(other, prefix: length) }

    /// Whether the two networks have an address in common.
    package func overlaps(_ other: CIDR) -> Bool {
        address.matches(other.address, prefix: min(length, other.length))
    }

    /// `10.77.0.2/24`
    package var description: String { "\(address)/\(length)" }
}
