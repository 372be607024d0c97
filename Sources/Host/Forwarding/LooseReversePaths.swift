/// Interfaces whose reverse-path filter is temporarily loose. On a host without bondd's rules, a strict filter
/// drops replies that arrive on another uplink than the one its routes prefer.
package final class LooseReversePaths {
    private var strict: [(parameter: KernelParameter, value: String)] = []

    /// Loosens the strict filters among these interfaces. Filters that cannot be changed (a container's
    /// /proc/sys) stay strict.
    package init(_ interfaces: [String]) {
        let all = KernelParameter("net/ipv4/conf/all/rp_filter").value
        for interface in interfaces where !interface.contains("/") && all != "2" {
            let parameter = KernelParameter("net/ipv4/conf/\(interface)/rp_filter")
            guard let value = parameter.value, value == "1" || all == "1" && value == "0" else { continue }
            guard (try? parameter.set("2")) != nil else { continue }
            strict.append((parameter, value))
        }
    }

    /// Restores the previous values, unless another program has changed them in the meantime.
    deinit {
        for (parameter, value) in strict where parameter.value == "2" { try? parameter.set(value) }
    }
}
