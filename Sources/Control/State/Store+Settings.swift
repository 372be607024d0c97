import ControlProtocol
import GRDB
import Packet
import Settings

// What the state remembers beside clients and invitations.
extension Store {
    /// Where clients reach the server, as it was set; empty: never set.
    public func endpoints() throws(ControlError) -> [String] {
        try read { db in
            try Self.value("endpoints", db)?.split(separator: " ").map(String.init) ?? []
        }
    }

    /// Sets where clients reach the server, for invitations that do not say it themselves.
    /// - Throws: `refused` unless there are 1 to 8 of the form `HOST:PORT`.
    public func setEndpoints(_ endpoints: [String]) throws(ControlError) {
        let endpoints = try Self.checked(endpoints)
        try write { db in
            try Self.setValue(endpoints.map(\.description).joined(separator: " "), "endpoints", db)
        }
    }

    /// The configuration's text that was in force last, as that of the file named so; nil: none was.
    func configuration(of file: String) throws(ControlError) -> ConfigurationFile? {
        try read { db in try Self.value("configuration", db) }.map { ConfigurationFile($0, path: file) }
    }

    /// Remembers the configuration's text, which has no keys in it, for a start while the file is another than bondd has.
    func setConfiguration(_ text: ConfigurationFile) throws(ControlError) {
        if try configuration(of: text.path)?.digest == text.digest { return }
        try write { db in try Self.setValue(text.text, "configuration", db) }
    }

    /// The server's public key as it was last seen, in base64.
    public func serverKey() throws(ControlError) -> String? {
        try read { db in try Self.value("server_key", db) }
    }

    /// Remembers the server's public key, for invitations while bondd is down.
    public func setServerKey(_ key: String) throws(ControlError) {
        if try serverKey() == key { return }
        try write { db in try Self.setValue(key, "server_key", db) }
    }

    /// Where the clients of an invitation reach the server: as the order says, as the file does, as it was set, or where the
    /// server listens when that is one of its addresses.
    /// - Throws: `refused` when none of these says it.
    func endpoints(
        for order: InvitationOrder, named: [HostPort] = [], listen: [Endpoint]
    ) throws(ControlError) -> [HostPort] {
        if !order.endpoints.isEmpty { return try Self.checked(order.endpoints) }
        if !named.isEmpty { return try Self.checked(named.map(\.description)) }
        let known = try endpoints()
        if !known.isEmpty { return try Self.checked(known) }
        let specific = listen.filter {
            let address = $0.address
            return !(address.high == 0 && address.low == 0) && !address.isLinkLocal
        }
        guard !specific.isEmpty else {
            throw .refused(
                "say where clients reach this server: bondd invite \(order.name) --endpoint HOST:PORT")
        }
        return try Self.checked(specific.prefix(JoinLink.mostEndpoints).map(\.description))
    }

    static func checked(_ endpoints: [String]) throws(ControlError) -> [HostPort] {
        guard (1...JoinLink.mostEndpoints).contains(endpoints.count) else {
            throw .refused("a join link has 1 to \(JoinLink.mostEndpoints) endpoints; name fewer")
        }
        var checked: [HostPort] = []
        for text in endpoints {
            guard text.utf8.count <= JoinLink.longestEndpoint, let endpoint = HostPort(text) else {
                throw .refused(
                    "\"\(text)\" is not HOST:PORT such as 203.0.113.7:5000 or vpn.example.org:5000")
            }
            if let address = endpoint.endpoint?.address {
                let isAny = address.high == 0 && address.low == 0
                guard !address.isLoopback && !isAny && !address.isLinkLocal else {
                    throw .refused(
                        "no client reaches this server at \(endpoint); name an address or a name that others know, HOST:PORT"
                    )
                }
            }
            checked.append(endpoint)
        }
        return checked
    }
}
