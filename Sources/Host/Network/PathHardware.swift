import Settings

extension Configuration.Hardware {
    /// The interface that this names among the existing ones. Of several with one MAC address (a VLAN has that
    /// of the card below it) the one with a default route, then hardware before virtual interfaces, then the
    /// lowest index.
    /// - Parameters:
    ///   - isUplink: whether an interface has a default route.
    ///   - classes: the directory where the kernel describes interfaces.
    /// - Returns: the interface, and the names of others that `device` also matches.
    package func find(
        among interfaces: [NetworkInterface], classes: String = "/sys/class/net",
        isUplink: (NetworkInterface) -> Bool
    ) -> (interface: NetworkInterface, others: [String])? {
        let found = interfaces.filter { interface in
            switch self {
            case .mac(let mac): interface.mac == mac
            case .device(let device):
                HardwarePath(interface: interface.name, classes: classes)?.matches(device) == true
            }
        }
        func rank(_ interface: NetworkInterface) -> (Int, Int, UInt32) {
            (isUplink(interface) ? 0 : 1, interface.kind == nil ? 0 : 1, interface.index)
        }
        guard let first = found.min(by: { rank($0) < rank($1) }) else { return nil }
        var others: [String] = []
        if case .device = self { others = found.filter { $0 != first }.map(\.name) }
        return (first, others)
    }
}
