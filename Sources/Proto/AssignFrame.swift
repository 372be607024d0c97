import Packet

/// The server's settings for a client's tunnel interface.
public struct AssignFrame: Equatable, Sendable {
    /// The MTU of the tunnel interface in bytes.
    public var mtu: UInt16
    /// The interface's addresses, at most 8.
    public var addresses: [InterfaceAddress]
    /// The DNS servers to query, at most 4.
    public var dns: [IPAddress]
    /// The networks to route into the tunnel, at most 32.
    public var routes: [Prefix]
    /// The networks behind the client that the server routes to it, at most 16. Servers before 0.2 omit them.
    public var networks: [Prefix]

    /// An assignment.
    public init(
        mtu: UInt16, addresses: [InterfaceAddress] = [], dns: [IPAddress] = [], routes: [Prefix] = [],
        networks: [Prefix] = []
    ) {
        self.mtu = mtu
        self.addresses = addresses
        self.dns = dns
        self.routes = routes
        self.networks = networks
    }

    /// The size of the body in bytes; nil if the frame exceeds the format's limits, or a prefix is too long.
    var bodySize: Int? {
        guard addresses.count <= Wire.maximumAddresses, dns.count <= Wire.maximumDNS,
            routes.count <= Wire.maximumRoutes, networks.count <= Wire.maximumNetworks,
            addresses.allSatisfy({ Int($0.prefix) <= $0.address.byteCount * 8 }),
            (routes + networks).allSatisfy({ Int($0.length) <= $0.address.byteCount * 8 })
        else { return nil }
        // Without networks the frame has its original form.
        return 5 + addresses.reduce(0) { $0 + 2 + $1.address.byteCount }
            + dns.reduce(0) { $0 + 1 + $1.byteCount } + routes.reduce(0) { $0 + 2 + $1.address.byteCount }
            + networks.reduce(networks.isEmpty ? 0 : 1) { $0 + 2 + $1.address.byteCount }
    }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= 5, Int(body[2]) <= Wire.maximumAddresses, Int(body[3]) <= Wire.maximumDNS,
            Int(body[4]) <= Wire.maximumRoutes
        else { return nil }
        self.init(mtu: body.bigEndian(at: 0, as: UInt16.self))
        var rest = body.dropping(5)
        for _ in 0..<body[2] {
            guard let (address, length) = Self.readPrefix(&rest) else { return nil }
            addresses.append(InterfaceAddress(address: address, prefix: length))
        }
        for _ in 0..<body[3] {
            guard let family = Self.readByte(&rest), let address = Self.readAddress(&rest, family: family)
            else { return nil }
            dns.append(address)
        }
        for _ in 0..<body[4] {
            guard let (address, length) = Self.readPrefix(&rest) else { return nil }
            routes.append(Prefix(address: address, length: length))
        }
        guard let count = Self.readByte(&rest) else { return }
        guard Int(count) <= Wire.maximumNetworks else { return nil }
        for _ in 0..<count {
            guard let (address, length) = Self.readPrefix(&rest) else { return nil }
            networks.append(Prefix(address: address, length: length))
        }
    }

    /// Writes the body, whose size is `bodySize`.
    func write(to body: UnsafeMutableRawBufferPointer) {
        body.storeBigEndian(mtu, at: 0)
        body[2] = UInt8(addresses.count)
        body[3] = UInt8(dns.count)
        body[4] = UInt8(routes.count)
        var rest = body.dropping(5)
        for entry in addresses { Self.write(entry.address, length: entry.prefix, to: &rest) }
        for server in dns { Self.write(server, length: nil, to: &rest) }
        for route in routes { Self.write(route.address, length: route.length, to: &rest) }
        if networks.isEmpty { return }
        rest[0] = UInt8(networks.count)
        rest = rest.dropping(1)
        for network in networks { Self.write(network.address, length: network.length, to: &rest) }
    }

    private static func readByte(_ rest: inout UnsafeRawBufferPointer) -> UInt8? {
        guard let byte = rest.first else { return nil }
        rest = rest.dropping(1)
        return byte
    }

    private static func readAddress(_ rest: inout UnsafeRawBufferPointer, family: UInt8) -> IPAddress? {
        guard let family = IPAddress.Family(rawValue: family) else { return nil }
        let size = family == .v4 ? 4 : 16
        guard rest.count >= size else { return nil }
        defer { rest = rest.dropping(size) }
        return IPAddress(family, bytes: rest)
    }

    private static func readPrefix(_ rest: inout UnsafeRawBufferPointer) -> (IPAddress, UInt8)? {
        guard let family = readByte(&rest), let length = readByte(&rest),
            let address = readAddress(&rest, family: family), Int(length) <= address.byteCount * 8
        else { return nil }
        return (address, length)
    }

    private static func write(
        _ address: IPAddress, length: UInt8?, to rest: inout UnsafeMutableRawBufferPointer
    ) {
        rest[0] = address.family.rawValue
        if let length { rest[1] = length }
        rest = rest.dropping(length == nil ? 1 : 2)
        address.write(to: rest)
        rest = rest.dropping(address.byteCount)
    }
}

/// An address of the tunnel interface with its network's prefix length.
public struct InterfaceAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address.
    public var address: IPAddress
    /// The prefix length in bits, 0...32 or 0...128.
    public var prefix: UInt8

    /// An interface's address. A `prefix` longer than the family's addresses is refused when it is written or
    /// read.
    public init(address: IPAddress, prefix: UInt8) {
        self.address = address
        self.prefix = prefix
    }

    /// `10.88.0.2/24` or `fd00::2/64`.
    public var description: String { "\(address)/\(prefix)" }
}

/// A range of addresses: those whose first `length` bits equal those of `address`.
public struct Prefix: Hashable, Sendable, CustomStringConvertible {
    /// Any address of the range; usually its first.
    public var address: IPAddress
    /// The number of significant bits, 0...32 or 0...128.
    public var length: UInt8

    /// A prefix. A `length` beyond the family's bits is refused when it is written or read.
    public init(address: IPAddress, length: UInt8) {
        self.address = address
        self.length = length
    }

    /// `10.0.0.0/8` or `2001:db8::/32`.
    public var description: String { "\(address)/\(length)" }
}
