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

    /// Has a strict filter (1, the higher of an interface's value and that of all) go by the marks of packets, so that rules
    /// can tell it what may come in by the interface (`src_valid_mark`).
    /// - Returns: whether that was changed; then `ignoreMarks` undoes it.
    /// - Throws: `ControlError.file`.
    public static func heedMarks(interface: String) throws(ControlError) -> Bool {
        func values(_ key: String) -> [Int] {
            ["all", interface].compactMap {
                KernelParameter("net/ipv4/conf/\($0)/\(key)").value.flatMap { Int($0) }
            }
        }
        guard !interface.contains("/"), values("rp_filter").max() == 1, values("src_valid_mark").max() == 0
        else { return false }
        try KernelParameter("net/ipv4/conf/\(interface)/src_valid_mark").set("1")
        return true
    }

    /// Undoes `heedMarks`; an interface that is gone has nothing to undo.
    public static func ignoreMarks(interface: String) {
        try? KernelParameter("net/ipv4/conf/\(interface)/src_valid_mark").set("0")
    }
}
