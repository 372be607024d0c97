import Glibc
import Host
import Runtime
import Settings

/// A firewall of this host that may block a server's port: one whose default is to drop.
enum InputFirewall {
    /// A sentence with the command that opens the port; `nil` if no such firewall is found.
    static func advice(port: UInt16) -> String? {
        if (try? TextFile.read("/etc/ufw/ufw.conf", limit: 1 << 16))?.contains("\nENABLED=yes") == true {
            return "ufw runs on this host; if it drops by default, run: ufw allow \(port)/udp"
        }
        if access("/run/firewalld", F_OK) == 0 {
            return
                "firewalld runs on this host; run: firewall-cmd --permanent --add-port=\(port)/udp && firewall-cmd --reload"
        }
        guard let chain = (try? FirewallSocket().droppingInput())?.first else { return nil }
        return
            "a firewall of this host drops by default (\(chain)); unless UDP port \(port) is open, run: nft insert rule \(chain) udp dport \(port) accept"
    }
}
