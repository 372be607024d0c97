import Packet
import Proto

/// One path of a hostile peer: its packet numbers, and the datagrams that have really arrived on it.
struct HostilePath {
    /// The ID on the wire.
    let id: UInt16
    /// Which of the harness's links it uses.
    let link: Int
    /// The next packet number that it sends.
    var next: UInt64 = 0
    /// The highest packet number that arrived; nil before the first.
    private(set) var highest: UInt64?
    /// Bit i of the words says that `highest - 1 - i` arrived.
    private(set) var map: [UInt64] = [0, 0, 0, 0]
    private(set) var packets: UInt64 = 0
    private(set) var bytes: UInt64 = 0
    private(set) var highestTime = Instant.zero
    /// Whether something came since the last ACK.
    var owesAck = false
    /// The claims of its ACKs so far.
    var claim = Claim()

    /// The counts that a liar has claimed, which only grow.
    struct Claim {
        var highest: UInt64 = 0
        var packets: UInt64 = 0
        var bytes: UInt64 = 0
        /// The highest number on the wire since the path fell silent.
        var seen: UInt64 = 0
        /// Packets a second that it had before.
        var rate = 0.0
    }

    init(id: UInt16, link: Int) { (self.id, self.link) = (id, link) }

    /// Notes a datagram of `size` bytes.
    mutating func note(_ number: UInt64, size: Int, now: Instant) {
        packets += 1
        bytes += UInt64(size)
        owesAck = true
        guard let top = highest else {
            (highest, highestTime) = (number, now)
            return
        }
        if number < top {
            let bit = top - 1 - number
            if bit < 256 { map[Int(bit >> 6)] |= 1 << (bit & 63) }
            return
        }
        guard number > top else { return }
        shift(by: number - top)
        (highest, highestTime) = (number, now)
    }

    /// Makes room below a highest number that grew by `distance`, and marks the old one.
    private mutating func shift(by distance: UInt64) {
        let old = map
        map = [0, 0, 0, 0]
        guard distance <= 256 else { return }
        for word in 0..<4 {
            let (from, bits) = (word - Int(distance >> 6), distance & 63)
            if from >= 0 { map[word] = old[from] << bits }
            if from >= 1, bits > 0 { map[word] |= old[from - 1] >> (64 - bits) }
        }
        map[Int((distance - 1) >> 6)] |= 1 << ((distance - 1) & 63)
    }

    /// The ACK that an honest peer would send; nil before anything arrived.
    /// - Parameter clock: µs by which the peer's clock is ahead of `now`.
    func ack(now: Instant, clock: UInt64) -> AckFrame? {
        guard let highest else { return nil }
        return AckFrame(
            pathID: id, highest: highest, map: (map[0], map[1], map[2], map[3]), packetsReceived: packets,
            bytesReceived: bytes, receiveTime: highestTime.microseconds &+ clock,
            delay: UInt32(clamping: (now - highestTime).microseconds))
    }
}
