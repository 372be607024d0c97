import Packet
import Rules

/// The identity of a port.
struct PortKey: Hashable {
    let transport: TransportProtocol
    let number: UInt16
    /// The only address of this host to listen on; nil means all of them.
    let address: IPAddress?
}

/// A port that the relay listens on.
struct Port {
    let key: PortKey
    /// The numbers of its sockets.
    var listeners: [Int] = []
    /// Families in which another program has the port on loopback, so that every other address of this host
    /// gets its own socket.
    var shared: [IPAddress.Family] = []
    /// The rules selected by server name.
    var routes = NameRoutes()
    /// The number of the rule selected without server names; -1 for none.
    var plain: Int32 = -1
    /// Whether it belongs to a rule with a range of ports.
    var isOfRange = false
    /// The number of UDP flows whose replies leave through its sockets.
    var flows = 0
    /// Statistics of server name matching.
    var names: NameListenerReport

    var number: UInt16 { key.number }
    var transport: TransportProtocol { key.transport }

    init(_ key: PortKey) {
        self.key = key
        names = NameListenerReport(port: key.number)
    }
}
