import LinkModel

/// One direction of a link. Lane `2 i` of a world is link `i` from client to server, lane `2 i + 1` the way back.
struct Lane {
    var model: LinkModel
    /// Frames that the drop-tail queue had no room for, or that the policer dropped.
    var queueDropped = 0
}
