import Packet
import Testing

@testable import Host

/// Traffic of services, compared with a bookkeeper who sees each packet.
@Suite struct ServiceLedgerTests {
    /// The kernel's counters, and the expected sums.
    private struct Bookkeeper {
        var kernel: [ServiceConnection: Int] = [:]
        var sums: [String: Int] = [:]
        var services: [KernelService] = []

        /// The owner of a connection's packets.
        func owner(_ connection: ServiceConnection) -> KernelService? {
            let having = services.filter { $0.connections.contains(connection) }
            return having.first(where: \.accepts) ?? having.first
        }

        mutating func replace(with new: [KernelService]) {
            services = new
            let all = Set(new.flatMap(\.connections))
            kernel = kernel.filter { all.contains($0.key) }
            for connection in all where kernel[connection] == nil { kernel[connection] = 0 }
            let places = Set(
                new.flatMap { service in service.connections.map { "\(service.name) \($0.port)" } })
            sums = sums.filter { places.contains($0.key) }
        }

        mutating func carry(_ bytes: Int, _ connection: ServiceConnection) {
            guard let owner = owner(connection) else { return }
            kernel[connection, default: 0] += bytes
            sums["\(owner.name) \(connection.port)", default: 0] += bytes
        }

        var traffic: [ServiceConnection: ServiceTraffic] {
            kernel.mapValues { bytes in
                var traffic = ServiceTraffic()
                traffic.bytesIn = bytes
                return traffic
            }
        }
    }

    @Test(arguments: [UInt64(1), 2, 3]) func sumsNeverGoBack(_ seed: UInt64) {
        var generator = Generator(seed: seed)
        var books = Bookkeeper()
        var ledger = ServiceLedger()
        for _ in 0..<2000 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0:
                ledger.note(books.traffic)
                // Few names, ports and targets, so that they share and take over. One name has one port.
                let new = (1...3).compactMap { name -> KernelService? in
                    guard Int.random(in: 0..<4, using: &generator) > 0 else { return nil }
                    let first = UInt16.random(in: 80...82, using: &generator)
                    return KernelService(
                        name: "\(name)", transport: .tcp, ports: first...first + 1,
                        target: IPAddress("10.77.0.\(Int.random(in: 2...3, using: &generator))")!,
                        targetPort: first, accepts: Bool.random(using: &generator))
                }
                books.replace(with: new)
                ledger.replace(with: new)
            case 1:
                // The table is created again.
                ledger.note(books.traffic)
                ledger.restart()
                books.kernel = books.kernel.mapValues { _ in 0 }
            default:
                if let service = books.services.randomElement(using: &generator),
                    let connection = service.connections.randomElement(using: &generator)
                {
                    books.carry(Int.random(in: 1...1500, using: &generator), connection)
                }
                ledger.note(books.traffic)
                for service in books.services {
                    for connection in service.connections {
                        let sum = books.sums["\(service.name) \(connection.port)"] ?? 0
                        #expect(ledger.traffic(of: connection, service: service.name).bytesIn == sum)
                        let isOwner = books.owner(connection)?.name == service.name
                        #expect(ledger.counts(connection, for: service.name) == isOwner)
                    }
                }
            }
        }
    }
}
