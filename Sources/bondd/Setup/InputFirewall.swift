import Glibc
import Host
import Runtime
import Settings

/// A firewall of this host that may block a server's port: a filter that drops everything it does not know.
enum InputFirewall {
    /// A sentence with the command that opens the port; `nil` if no such firewall is found.
    static func advice(port: UInt16) -> String? {
        if (try? TextFile.read("/etc/ufw/ufw.conf", limit: 1 << 16))?.contains("\nENABLED=yes") == true {
            return "ufw runs here; if it drops what it does not know, run: ufw allow \(port)/udp"
        }
        if access("/run/firewalld", F_OK) == 0 {
            return
                "firewalld runs here; run: firewall-cmd --permanent --add-port=\(port)/udp && firewall-cmd --reload"
        }
        guard let chain = (try? FirewallSocket().droppingInput())?.first else { return nil }
        return
            "a firewall of this host drops what it does not know (\(chain)); if UDP port \(port) is not among that, run: nft insert rule \(chain) udp dport \(port) accept"
    }
}
