import LinkModel

/// One direction of a link. Lane `2 i` of a world is link `i` from client to server, lane `2 i + 1` the way back.
struct Lane {
    var model: LinkModel
    /// Frames dropped by the drop-tail queue.
    var queueDropped = 0
}
