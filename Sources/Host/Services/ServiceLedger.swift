/// What services have carried since bondd started. The kernel counts by what a port's connections have in common, and
/// from 0 each time the table is set anew; here each service's port has a sum that never goes back.
public struct ServiceLedger: Sendable {
    private struct Place: Hashable, Sendable {
        let service: String
        let port: UInt16
    }

    /// What has to be added to what the kernel says now.
    private var bases: [Place: ServiceTraffic] = [:]
    /// Whose the kernel's counters are.
    private var owners: [ServiceConnection: Place] = [:]
    /// What the kernel last said.
    private var last: [ServiceConnection: ServiceTraffic] = [:]

    /// Nothing was carried.
    public init() {}

    /// Other services are carried now. Of two that share a port and a target, as one takes over from the other, the one
    /// that accepts has what is counted from now on.
    public mutating func replace(with services: [KernelService]) {
        var owners: [ServiceConnection: Place] = [:]
        var places: Set<Place> = []
        for service in services.filter(\.accepts) + services.filter({ !$0.accepts }) {
            for connection in service.connections {
                let place = Place(service: service.name, port: connection.port)
                places.insert(place)
                if owners[connection] == nil { owners[connection] = place }
            }
        }
        // What there is so far stays who had it.
        for (connection, place) in self.owners where owners[connection] != place {
            if let counted = last[connection] { add(counted, to: place) }
        }
        for (connection, place) in owners where self.owners[connection] != place {
            // What others have had of it is not this one's. What was not there before begins at 0.
            if self.owners[connection] == nil { last[connection] = nil }
            if let counted = last[connection] { add(ServiceTraffic() - counted, to: place) }
        }
        bases = bases.filter { places.contains($0.key) }
        last = last.filter { owners[$0.key] != nil }
        self.owners = owners
    }

    /// The table was set anew: the kernel counts from 0.
    public mutating func restart() {
        for (connection, place) in owners {
            if let counted = last[connection] { add(counted, to: place) }
        }
        last = [:]
    }

    /// What the kernel says now.
    public mutating func note(_ traffic: [ServiceConnection: ServiceTraffic]) {
        for (connection, counted) in traffic where owners[connection] != nil { last[connection] = counted }
    }

    /// What a service's port has carried.
    public func traffic(of connection: ServiceConnection, service: String) -> ServiceTraffic {
        let place = Place(service: service, port: connection.port)
        let base = bases[place] ?? ServiceTraffic()
        return owners[connection] == place ? base + (last[connection] ?? ServiceTraffic()) : base
    }

    /// Whether the kernel counts a port's connections for the service.
    public func counts(_ connection: ServiceConnection, for service: String) -> Bool {
        owners[connection] == Place(service: service, port: connection.port)
    }

    private mutating func add(_ traffic: ServiceTraffic, to place: Place) {
        bases[place] = (bases[place] ?? ServiceTraffic()) + traffic
    }
}
