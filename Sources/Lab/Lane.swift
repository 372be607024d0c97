import LinkModel

/// One direction of an emulated link, as the emulator sees it: the TAP it reads frames from, and the model they cross.
/// Lanes come in pairs: lane `i` delivers to the TAP of lane `i ^ 1`.
struct Lane {
    /// The TAP at the sending end, or -1 when it is unplugged.
    var tap: Int32 = -1
    /// Whether the sending end has carrier.
    var hasCarrier = true
    /// What happens to the frames.
    var model: LinkModel
    /// What happened to them.
    var counters = LinkCounters()
}
