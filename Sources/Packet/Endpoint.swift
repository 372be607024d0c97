/// A UDP endpoint: address, port, and the zone of a link-local address.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// The IP address.
    public var address: IPAddress
    /// The UDP port in host order.
    public var port: UInt16
    /// The interface index for a link-local IPv6 address; otherwise 0.
    public var zone: UInt32

    /// An endpoint; `zone` is only used for link-local IPv6.
    @inlinable public init(address: IPAddress, port: UInt16, zone: UInt32 = 0) {
        self.address = address
        self.port = port
        self.zone = zone
    }

    /// `203.0.113.7:5000` or `[2001:db8::7]:5000`.
    public var description: String {
        address.family == .v4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }

    /// Parses `203.0.113.7:5000` or `[2001:db8::7]:5000`; nil if `text` has neither form.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), text[colon...].dropFirst().first != "+",
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = text[..<colon]
        if host.first == "[" && host.last == "]" {
            host = host.dropFirst().dropLast()
            guard let address = IPAddress(String(host)), address.family == .v6 else { return nil }
            self.init(address: address, port: port)
        } else {
            guard let address = IPAddress(String(host)), address.family == .v4 else { return nil }
            self.init(address: address, port: port)
        }
    }
}
