/// Traffic of services since bondd started. The kernel counts by the common properties of a port's connections,
/// and starts from 0 each time the table is created; the sums kept here for each service's port never decrease.
package struct ServiceLedger: Sendable {
    private struct Place: Hashable, Sendable {
        let service: String
        let port: UInt16
    }

    /// The offsets to add to the kernel's current counters.
    private var bases: [Place: ServiceTraffic] = [:]
    /// The owners of the kernel's counters.
    private var owners: [ServiceConnection: Place] = [:]
    /// The kernel's last counters.
    private var last: [ServiceConnection: ServiceTraffic] = [:]

    /// An empty ledger.
    package init() {}

    /// Replaces the services. If two share a port and a target, as one takes over from the other, further
    /// traffic is counted for the one that accepts.
    package mutating func replace(with services: [KernelService]) {
        var owners: [ServiceConnection: Place] = [:]
        var places: Set<Place> = []
        for service in services.filter(\.accepts) + services.filter({ !$0.accepts }) {
            for connection in service.connections {
                let place = Place(service: service.name, port: connection.port)
                places.insert(place)
                if owners[connection] == nil { owners[connection] = place }
            }
        }
        // Traffic so far stays with its previous owner.
        for (connection, place) in self.owners where owners[connection] != place {
            if let counted = last[connection] { add(counted, to: place) }
        }
        for (connection, place) in owners where self.owners[connection] != place {
            // Another owner's traffic does not count for this one. New counters start at 0.
            if self.owners[connection] == nil { last[connection] = nil }
            if let counted = last[connection] { add(ServiceTraffic() - counted, to: place) }
        }
        bases = bases.filter { places.contains($0.key) }
        last = last.filter { owners[$0.key] != nil }
        self.owners = owners
    }

    /// Notes that the table was created again, so that the kernel counts from 0.
    package mutating func restart() {
        for (connection, place) in owners {
            if let counted = last[connection] { add(counted, to: place) }
        }
        last = [:]
    }

    /// Records the kernel's current counters.
    package mutating func note(_ traffic: [ServiceConnection: ServiceTraffic]) {
        for (connection, counted) in traffic where owners[connection] != nil { last[connection] = counted }
    }

    /// The traffic of a service's port.
    package func traffic(of connection: ServiceConnection, service: String) -> ServiceTraffic {
        let place = Place(service: service, port: connection.port)
        let base = bases[place] ?? ServiceTraffic()
        return owners[connection] == place ? base + (last[connection] ?? ServiceTraffic()) : base
    }

    /// Whether the kernel counts a port's connections for the service.
    package func counts(_ connection: ServiceConnection, for service: String) -> Bool {
        owners[connection] == Place(service: service, port: connection.port)
    }

    private mutating func add(_ traffic: ServiceTraffic, to place: Place) {
        bases[place] = (bases[place] ?? ServiceTraffic()) + traffic
    }
}
