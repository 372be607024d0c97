/// A server's configuration, as far as the lab varies it.
public struct ServerFile: Sendable {
    /// `[[client]]`
    public struct Client: Sendable {
        /// Its name.
        public var name: String
        /// Its public key in base64.
        public var publicKey: String
        /// Its addresses in the tunnel.
        public var addresses: [String]
        /// The file of its preshared key, if any.
        public var presharedKeyFile: String?
        /// The networks behind it.
        public var networks: [String] = []
        /// Further keys, as they are in the file.
        public var keys = ""

        /// A client without preshared key.
        public init(name: String, publicKey: String, addresses: [String]) {
            self.name = name
            self.publicKey = publicKey
            self.addresses = addresses
        }
    }

    /// `mode`
    public var mode = "stripe"
    /// `cipher`; nil leaves the key out.
    public var cipher: String?
    /// `offload`
    public var offload = true
    /// `address`, with prefix length.
    public var addresses = ["10.77.0.1/24", "fd77::1/64"]
    /// `[listen] addresses`
    public var listen = ["0.0.0.0:5000", "[::]:5000"]
    /// `threads`; nil leaves the key out.
    public var threads: Int?
    /// The lines of `[nat]`; nil leaves the table out.
    public var nat: String?
    /// The clients it knows.
    public var clients: [Client] = []

    /// A configuration without clients.
    public init() {}

    /// The optional lines of `[tunnel]`.
    private var extras: [String] {
        [
            cipher.map { "cipher = \"\($0)\"" }, offload ? nil : "offload = false",
            threads.map { "threads = \($0)" },
        ]
        .compactMap(\.self)
    }

    /// The file's text. The key is in the same directory.
    public var text: String {
        var text = """
            [tunnel]
            role = "server"
            interface = "bond0"
            mode = "\(mode)"
            address = \(addresses)
            private_key_file = "key"
            \(extras.joined(separator: "\n"))
            [listen]
            addresses = \(listen)

            """
        if let nat { text += "[nat]\n\(nat)\n" }
        for client in clients {
            text += """
                [[client]]
                name = "\(client.name)"
                public_key = "\(client.publicKey)"
                address = \(client.addresses)

                """
            if !client.networks.isEmpty { text += "networks = \(client.networks)\n" }
            if !client.keys.isEmpty { text += "\(client.keys)\n" }
            if let file = client.presharedKeyFile { text += "preshared_key_file = \"\(file)\"\n" }
        }
        return text
    }
}
