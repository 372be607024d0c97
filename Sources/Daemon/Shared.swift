import Engine
import Glibc
import Host
import Packet
import Proto
import Runtime
import Settings
import Tun

/// The parts that a client and a server both use: the tunnel, and the host. For the main thread alone.
final class Shared {
    var configuration: Configuration
    /// The directory for state that outlives the daemon.
    let stateDirectory: String
    let log: Log
    let netlink: Netlink
    let control: ControlThread
    /// Nil if the kernel has no nftables.
    let firewall: HostFirewall?
    /// Identifies this run of the daemon.
    let runID: String
    let publicKey: PublicKey

    var poller: LoopPoller
    var tunnel: TunnelInterface
    /// The offloads of the tunnel's device.
    let offloads: TunOffloads
    var tunnelWatch = TunnelWatch()
    /// When the side's `check` is due; zero before the first.
    var nextCheck = Instant.zero
    /// Why the daemon has to end.
    private(set) var failure: Failure?

    init(
        _ configuration: Configuration, state: String, log: Log, netlink: consuming Netlink,
        control: ControlThread, firewall: HostFirewall?, poller: consuming LoopPoller,
        tunnel: TunnelInterface, offloads: TunOffloads
    ) {
        self.configuration = configuration
        stateDirectory = state
        self.log = log
        self.netlink = netlink
        self.control = control
        self.firewall = firewall
        self.poller = poller
        self.tunnel = tunnel
        self.offloads = offloads
        runID = String(Timestamp.now.seconds, radix: 16) + "-" + String(getpid(), radix: 16)
        publicKey = PrivateKey(bytes: configuration.tunnel.privateKey.key).publicKey
    }

    /// Ends the daemon with a sentence and exit status 1; it restores the host first.
    func fail(_ reason: String) { failure = Failure(reason) }

    /// Removes the routes and rules of daemons that were killed.
    func cleanRouting() throws(HostError) {
        let count = try HostRouting.clean(netlink, tunnel: tunnel.index)
        guard count > 0 else { return }
        log(.info, "routes and rules of a killed daemon are removed", ["count": "\(count)"])
    }
}
