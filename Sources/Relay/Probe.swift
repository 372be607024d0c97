import Packet

/// A connection to a target made to check whether it answers.
struct Probe {
    /// The number of the rule and the index of the target.
    let service: Int32
    let target: Int
    /// The socket; -1 while the target's name is being resolved.
    var socket: Int32 = -1
    /// The target's addresses that have not been tried yet.
    var addresses: ArraySlice<IPAddress> = []
    /// Whether some address could be contacted, and whether this host itself prevented another attempt.
    var isAsked = false
    var isHindered = false
}
