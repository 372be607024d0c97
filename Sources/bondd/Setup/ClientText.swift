import Proto
import Settings

/// The configuration that `bondd join` writes.
struct ClientText {
    /// The file's first line, by which a later run recognizes it.
    static let beginning = "# Written by bondd join."

    let text: String

    /// - Parameter included: globs of `[discovery]`; the defaults if empty.
    init(link: JoinLink, suite: CipherSuite, interface: String, included: [String]) {
        text = """
            \(Self.beginning) man 5 bondd.toml has every key; after a change: systemctl reload bondd
            [tunnel]
            role = "client"
            interface = \(TOMLText.string(interface))
            cipher = "\(suite)"
            private_key_file = "client.key"
            # All traffic goes through the tunnel. Name networks to send only those.
            routes = ["0.0.0.0/0", "::/0"]

            [server]
            public_key = "\(link.server.base64)"
            endpoints = \(TOMLText.list(link.endpoints))

            # Every interface with a default route is a path, as they come and go.
            [discovery]
            include = \(TOMLText.list(included.isEmpty ? ["*"] : included))

            """
    }
}
