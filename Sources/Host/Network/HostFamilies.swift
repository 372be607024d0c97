import Glibc
import Packet

/// Which IP versions a host can use.
package enum HostFamilies {
    /// Whether the kernel supports IPv6 at all; true if unknown.
    static var kernelHasIPv6: Bool {
        access("/proc/sys/net", F_OK) != 0 || access("/proc/sys/net/ipv6", F_OK) == 0
    }

    /// Why an interface has no IPv6, as a clause with the remedy; nil if it may have it, or the reason is unknown.
    package static func lackOfIPv6(interface: String) -> String? {
        guard kernelHasIPv6 else { return "this kernel has no IPv6" }
        guard !interface.contains("/"),
            KernelParameter("net/ipv6/conf/\(interface)/disable_ipv6").value == "1"
        else { return nil }
        if interface == "all" {
            return "IPv6 is off on this host (sysctl net.ipv6.conf.all.disable_ipv6=0 switches it on)"
        }
        return "IPv6 is off on \(interface) (sysctl net.ipv6.conf.\(interface).disable_ipv6=0 switches it on)"
    }
}
