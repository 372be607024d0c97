extension Configuration {
    /// Whether a running bondd can replace `old` with this configuration without a restart. bondd and bondd-control share this rule.
    /// Keys are compared only if both configurations were read with keys.
    public func canReplace(_ old: Configuration) -> Bool {
        guard tunnel.interface == old.tunnel.interface, tunnel.addresses == old.tunnel.addresses,
            tunnel.cipher == old.tunnel.cipher, tunnel.privateKey == old.tunnel.privateKey,
            tunnel.mtu == old.tunnel.mtu, tunnel.offload == old.tunnel.offload,
            tunnel.bufferMegabytes == old.tunnel.bufferMegabytes, tunnel.threads == old.tunnel.threads
        else { return false }
        switch (role, old.role) {
        case (.client(let new), .client(let old)): return new.server == old.server
        case (.server(let new), .server(let old)): return new.listen == old.listen
        default: return false
        }
    }

    /// The message for when `canReplace` returns false: one sentence.
    public static let needsRestart =
        "the role, interface, addresses, mtu, cipher, keys, offload, buffer_mb, endpoints, listening addresses and threads change only with a restart"
}
