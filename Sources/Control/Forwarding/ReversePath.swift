/// The kernel's reverse-path filter of an interface (`rp_filter`, IPv4 only).
public enum ReversePath {
    /// Lets packets come in by the interface from any address that the host has some way to (2, RFC 3704's loose mode), as
    /// through a tunnel users come from everywhere. The kernel takes the higher one of an interface's value and that of all,
    /// so it is set whatever that of all is. It goes with the interface.
    /// - Throws: `ControlError.file`.
    public static func loosen(interface: String) throws(ControlError) {
        let parameter = KernelParameter("net/ipv4/conf/\(interface)/rp_filter")
        guard !interface.contains("/"), let value = parameter.value, value != "2" else { return }
        try parameter.set("2")
    }
}
