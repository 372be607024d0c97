import Glibc
import Rules

/// A port that is listened on.
struct Port {
    /// Which.
    let number: UInt16
    let transport: Transport
    /// Its sockets; -1 for none.
    var socket4: Int32 = -1
    var socket6: Int32 = -1
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

    init(_ number: UInt16, _ transport: Transport) {
        self.number = number
        self.transport = transport
        names = NameListenerReport(port: number)
    }
}
