/// A client's configuration, as far as the lab varies it.
public struct ClientFile: Sendable {
    /// `[[path]]`
    public struct Path: Sendable {
        /// The interface, which is also its name, unless `name` is set.
        public var interface: String
        /// `name`; nil leaves the key out.
        public var name: String?
        /// `mac`, in place of the interface; nil leaves the key out.
        public var mac: String?
        /// The server's endpoint on this path.
        public var endpoint: String
        /// `primary`, `backup`, `metered` or `never`.
        public var role = "primary"
        /// `data_cap_gb`
        public var dataCap = 0.0
        /// `gateway`; nil leaves the key out.
        public var gateway: String?

        /// A primary path.
        public init(interface: String, endpoint: String) {
            self.interface = interface
            self.endpoint = endpoint
        }
    }

    /// `mode`
    public var mode = "stripe"
    /// `cipher`; nil leaves the key out.
    public var cipher: String?
    /// `offload`
    public var offload = true
    /// The server's public key in base64.
    public var serverKey: String
    /// The file of the preshared key, if any.
    public var presharedKeyFile: String?
    /// `routes`, the networks routed into the tunnel; nil leaves the key out.
    public var routes: [String]?
    /// `kill_switch`
    public var killSwitch = false
    /// `kill_switch_lan`
    public var killSwitchLAN = false
    /// `dns`; nil leaves the key out.
    public var dns: [String]?
    /// `[lan] interfaces`; nil leaves the table out.
    public var lan: [String]?
    /// `[discovery] include`; nil leaves the table out.
    public var discovery: [String]?
    /// The server's endpoints, for paths without their own.
    public var endpoints = ["192.0.2.1:5000"]
    /// Further tables, as they are in the file.
    public var tables = ""
    /// The uplinks.
    public var paths: [Path] = []

    /// A configuration without paths.
    public init(serverKey: String) { self.serverKey = serverKey }

    /// The optional lines of `[tunnel]`.
    private var extras: [String] {
        [
            cipher.map { "cipher = \"\($0)\"" }, offload ? nil : "offload = false",
            routes.map { "routes = \($0)" }, killSwitch ? "kill_switch = true" : nil,
            killSwitchLAN ? "kill_switch_lan = true" : nil, dns.map { "dns = \($0)" },
        ]
        .compactMap(\.self)
    }

    /// The file's text. The key is in the same directory.
    public var text: String {
        var text = """
            [tunnel]
            role = "client"
            interface = "bond0"
            mode = "\(mode)"
            private_key_file = "key"
            \(extras.joined(separator: "\n"))
            [server]
            public_key = "\(serverKey)"
            endpoints = \(endpoints)

            """
        if let file = presharedKeyFile { text += "preshared_key_file = \"\(file)\"\n" }
        if let lan { text += "[lan]\ninterfaces = \(lan)\n" }
        if let discovery { text += "[discovery]\ninclude = \(discovery)\n" }
        for path in paths {
            text += """
                [[path]]
                \(path.mac.map { "mac = \"\($0)\"" } ?? "interface = \"\(path.interface)\"")
                role = "\(path.role)"
                data_cap_gb = \(path.dataCap)
                endpoint = "\(path.endpoint)"

                """
            if let name = path.name { text += "name = \"\(name)\"\n" }
            if let gateway = path.gateway { text += "gateway = \"\(gateway)\"\n" }
        }
        return text + tables
    }
}
