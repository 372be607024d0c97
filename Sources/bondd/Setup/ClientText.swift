import Proto
import Settings

/// The configuration that `bondd join` writes.
struct ClientText {
    let text: String

    /// - Parameter included: globs of `[discovery]`; none: the usual.
    init(link: JoinLink, suite: CipherSuite, interface: String, included: [String]) {
        let endpoints = link.endpoints.map { "\"\($0)\"" }.joined(separator: ", ")
        var text = """
            # Written by bondd join. man 5 bondd.toml has every key; after a change: systemctl reload bondd
            [tunnel]
            role = "client"
            interface = "\(interface)"
            cipher = "\(suite)"
            private_key_file = "client.key"
            # All traffic goes through the tunnel. Name networks to send only those.
            routes = ["0.0.0.0/0", "::/0"]

            [server]
            public_key = "\(link.server.base64)"
            endpoints = [\(endpoints)]

            # Every interface with a default route is a path, as they come and go.
            [discovery]

            """
        let globs = included.isEmpty ? ["*"] : included
        text += "include = [\(globs.map { "\"\($0)\"" }.joined(separator: ", "))]\n"
        self.text = text
    }
}
