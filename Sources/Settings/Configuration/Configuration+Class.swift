import Packet

extension Configuration {
    /// `[[class]]`: a class of service, for what this host sends; a client also asks its server for it.
    package struct Class: Equatable, Sendable {
        /// The class as the core knows it.
        package let service: ServiceClass
        /// The mark of its packets on this host; nil: none.
        package let fwmark: UInt32?
        /// The control group whose programs send its packets, as a path in the hierarchy without the first
        /// slash; nil: none.
        package let cgroup: String?
    }

    /// Whether the host's firewall has to mark packets for a class.
    package var marksClasses: Bool { classes.contains { $0.service.isMarkedHere } }
}
