import Packet

/// A connection to a target that is made to see whether it is there.
struct Probe {
    /// The numbers of the rule and of the target.
    let service: Int32
    let target: Int
    /// -1 while the target's name is looked up.
    var socket: Int32 = -1
    /// The target's addresses that were not tried yet.
    var addresses: ArraySlice<IPAddress> = []
    /// Whether an address could be asked, and whether this host was in the way of another.
    var isAsked = false
    var isHindered = false
}
