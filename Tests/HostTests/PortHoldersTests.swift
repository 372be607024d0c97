import CLinux
import Glibc
import Packet
import TestSupport
import Testing

@testable import Host

/// The owners of ports, as reported by the kernel.
@Suite(.serialized) struct PortHoldersTests {
    static func service(
        _ ports: ClosedRange<UInt16>, _ transport: TransportProtocol = .tcp, accepts: Bool = true
    ) -> KernelService {
        KernelService(
            name: "web", transport: transport, ports: ports, target: IPAddress("10.77.0.2")!, targetPort: 80,
            accepts: accepts)
    }

    @Test func onlyWhoHoldsAPortMayHaveItLedAway() {
        func holder(_ port: UInt16, _ user: UInt32, isLoopback: Bool = false) -> PortHolders.Holder {
            PortHolders.Holder(transport: .tcp, port: port, user: user, isLoopback: isLoopback)
        }
        let holders = PortHolders([
            holder(22, 0), holder(80, 1000), holder(81, 1000), holder(82, 1000), holder(82, 0),
            holder(83, 1000), holder(83, 0, isLoopback: true),
        ])
        #expect(holders.refusal(of: Self.service(80...81), for: 1000) == nil)
        #expect(holders.refusal(of: Self.service(83...83), for: 1000) == nil)
        #expect(
            holders.refusal(of: Self.service(22...22), for: 1000)
                == "service \"web\" has tcp port 22, which a program of user 0 holds")
        #expect(
            holders.refusal(of: Self.service(84...84), for: 1000)
                == "service \"web\" has tcp port 84, which no program of user 1000 holds")
        #expect(holders.refusal(of: Self.service(80...82), for: 1000) != nil)
        #expect(holders.refusal(of: Self.service(80...80, .udp), for: 1000) != nil)
        // Open connections continue.
        #expect(holders.refusal(of: Self.service(22...22, accepts: false), for: 1000) == nil)
    }

    @Test func theListsInProcAreRead() {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   998        0 1 1
               1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1
               2: 00000000:0017 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 3 1
               3: 00000000000000000000000001000000:0018 0:0 0A 0:0 0:0 0 5 0 4 1
            """
        let holders = PortHolders.holders(in: text, .tcp)
        #expect(holders.map(\.port) == [8080, 22, 24] && holders.map(\.user) == [998, 0, 5])
        #expect(holders.map(\.isLoopback) == [true, false, true])
        #expect(PortHolders.holders(in: "nonsense\n1 2 3\n", .tcp).isEmpty)
    }

    /// Real sockets of this process, of both transports and IP versions.
    @Test(.enabled(if: OwnNetwork.isPermitted, "needs root")) func theKernelSays() throws {
        try OwnNetwork.run {
            var open: [Int32] = []
            defer { for descriptor in open { close(descriptor) } }
            for (kind, port) in [(SOCK_STREAM, UInt16(8443)), (SOCK_DGRAM, 5353)] {
                let descriptor = socket(AF_INET, Int32(kind.rawValue), 0)
                open.append(descriptor)
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = port.bigEndian
                withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        #expect(bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0)
                    }
                }
                if kind == SOCK_STREAM { #expect(listen(descriptor, 1) == 0) }
            }
            let holders = try PortHolders([.tcp, .udp])
            let user = geteuid()
            #expect(holders.refusal(of: Self.service(8443...8443), for: user) == nil)
            #expect(holders.refusal(of: Self.service(5353...5353, .udp), for: user) == nil)
            #expect(holders.refusal(of: Self.service(5353...5353), for: user) != nil)
            #expect(holders.refusal(of: Self.service(8443...8443), for: user + 1) != nil)
        }
    }
}
