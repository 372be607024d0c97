import ControlProtocol
import GRDB
import Packet
import Settings

// Settings in the state other than clients and invitations.
extension Store {
    /// The endpoints at which clients reach the server, if set; otherwise empty.
    package func endpoints() throws(ControlError) -> [String] {
        try read { db in
            try Self.value("endpoints", db)?.split(separator: " ").map(String.init) ?? []
        }
    }

    /// Sets the endpoints at which clients reach the server, for invitations that do not give them.
    /// - Throws: `refused` unless there are 1 to 8 of the form `HOST:PORT`.
    package func setEndpoints(_ endpoints: [String]) throws(ControlError) {
        let endpoints = try Self.checked(endpoints)
        try write { db in
            try Self.setValue(endpoints.map(\.description).joined(separator: " "), "endpoints", db)
        }
    }

    /// The text that was last in force of the configuration with this path; nil if there was none.
    func configuration(of file: String) throws(ControlError) -> ConfigurationFile? {
        try read { db in try Self.value("configuration", db) }.map { ConfigurationFile($0, path: file) }
    }

    /// Stores the configuration's text, which contains no keys, for a start while the file differs from bondd's
    /// configuration.
    func setConfiguration(_ text: ConfigurationFile) throws(ControlError) {
        if try configuration(of: text.path)?.digest == text.digest { return }
        try write { db in try Self.setValue(text.text, "configuration", db) }
    }

    /// The server's last known public key in base64.
    package func serverKey() throws(ControlError) -> String? {
        try read { db in try Self.value("server_key", db) }
    }

    /// Stores the server's public key, for invitations while bondd is down.
    package func setServerKey(_ key: String) throws(ControlError) {
        if try serverKey() == key { return }
        try write { db in try Self.setValue(key, "server_key", db) }
    }

    /// The endpoints for clients of an invitation: those of the order, of the file, those set in the state, or
    /// the server's listening address if it is a specific one.
    /// - Throws: `refused` if none of these is available.
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
                "the endpoint at which clients reach this server is not known; run: bondd invite \(order.name) --endpoint HOST:PORT"
            )
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
                        "clients cannot reach this server at \(endpoint); use an address or name that other hosts know, HOST:PORT"
                    )
                }
            }
            checked.append(endpoint)
        }
        return checked
    }
}
