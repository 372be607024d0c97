import LinkModel

/// One direction of an emulated link, as seen by the emulator: the TAP it reads frames from, and the model they
/// cross. Lanes come in pairs: lane `i` delivers to the TAP of lane `i ^ 1`.
struct Lane {
    /// The TAP at the sending end; -1 if it is unplugged.
    var tap: Int32 = -1
    /// Whether the sending end has carrier.
    var hasCarrier = true
    /// The model that decides the fate of frames.
    var model: LinkModel
    /// The counters of frames.
    var counters = LinkCounters()
}
