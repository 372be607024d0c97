import Packet
import Rules

/// What a port is known by.
struct PortKey: Hashable {
    let transport: TransportProtocol
    let number: UInt16
    /// The one address of this host that is listened on; nil: every one.
    let address: IPAddress?
}

/// A port that is listened on.
struct Port {
    let key: PortKey
    /// The numbers of its sockets.
    var listeners: [Int] = []
    /// Families of which another program has the port on loopback, so that each other address of this host has a socket of its own.
    var shared: [IPAddress.Family] = []
    /// The rules that it is for.
    var routes = NameRoutes()
    /// The rule that it is for when there are no names, by number; -1 for none.
    var plain: Int32 = -1
    /// Whether a rule has it that has others beside it.
    var isOfRange = false
    /// UDP flows that answer through its sockets.
    var flows = 0
    /// What looking at names saw.
    var names: NameListenerReport

    var number: UInt16 { key.number }
    var transport: TransportProtocol { key.transport }

    init(_ key: PortKey) {
        self.key = key
        names = NameListenerReport(port: key.number)
    }
}
