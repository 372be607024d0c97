/// Interfaces whose reverse-path filter is loose for a while. A host without bondd's rules drops, where the filter is strict, the
/// answers that come in by another uplink than the one that its routes prefer.
public final class LooseReversePaths {
    private var strict: [(parameter: KernelParameter, value: String)] = []

    /// Loosens those of these interfaces that are strict. What can't be changed (a container's /proc/sys) stays as it is.
    public init(_ interfaces: [String]) {
        let all = KernelParameter("net/ipv4/conf/all/rp_filter").value
        for interface in interfaces where !interface.contains("/") && all != "2" {
            let parameter = KernelParameter("net/ipv4/conf/\(interface)/rp_filter")
            guard let value = parameter.value, value == "1" || all == "1" && value == "0" else { continue }
            guard (try? parameter.set("2")) != nil else { continue }
            strict.append((parameter, value))
        }
    }

    /// Restores what was there, unless somebody else has set it meanwhile.
    deinit {
        for (parameter, value) in strict where parameter.value == "2" { try? parameter.set(value) }
    }
}
