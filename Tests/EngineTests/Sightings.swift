import Packet
import Proto

@testable import Engine

/// The packet numbers that one end has put on the wire: the knowledge of a peer that receives everything.
final class Sightings {
    private var numbers: [UInt16: Set<UInt64>] = [:]
    private(set) var highest: [UInt16: UInt64] = [:]
    /// Bytes of datagrams by path.
    private(set) var bytes: [UInt16: Int] = [:]
    /// The paths whose datagrams are lost.
    var lost: Set<UInt16> = []

    /// Watches the datagrams of the server, or of the client.
    init(_ world: World, ofServer isServer: Bool) {
        world.onWire = { [self] towardsServer, link, bytes in
            guard towardsServer != isServer,
                let header = bytes.withUnsafeBytes({ Header(parsing: $0) }),
                header.kind == .data || header.kind == .control
            else { return true }
            numbers[header.pathID, default: []].insert(header.packetNumber)
            highest[header.pathID] = max(highest[header.pathID] ?? 0, header.packetNumber)
            self.bytes[header.pathID, default: 0] += bytes.count
            return !lost.contains(header.pathID)
        }
    }

    /// An ACK of everything sent on a path, as if it had arrived.
    /// - Parameter session: the session of the watched end, whose counters provide the totals.
    func ack(_ path: UInt16, _ session: UnsafeMutablePointer<Session>, now: Instant) -> Frame? {
        guard let index = session.pointee.paths.find(path), let top = highest[path] else { return nil }
        let counters = session.pointee.paths[index].pointee.counters
        return .ack(
            AckFrame(
                pathID: path, highest: top, map: map(path, below: top),
                packetsReceived: counters.sentPackets, bytesReceived: counters.sentBytes,
                receiveTime: now.microseconds, delay: 0))
    }

    /// Those of the 256 numbers below `highest` that were seen and are in `mask`.
    func map(
        _ path: UInt16, below highest: UInt64,
        _ mask: (UInt64, UInt64, UInt64, UInt64) = (.max, .max, .max, .max)
    ) -> (UInt64, UInt64, UInt64, UInt64) {
        func word(_ index: UInt64) -> UInt64 {
            var word: UInt64 = 0
            for bit in UInt64(0)..<64 where 64 * index + bit < highest {
                if numbers[path]?.contains(highest - 1 - 64 * index - bit) ?? false { word |= 1 << bit }
            }
            return word
        }
        return (word(0) & mask.0, word(1) & mask.1, word(2) & mask.2, word(3) & mask.3)
    }

    /// The highest number seen up to `limit`.
    func number(_ path: UInt16, upTo limit: UInt64) -> UInt64 {
        guard let top = highest[path] else { return 0 }
        var number = min(limit, top)
        while number > 0, !(numbers[path]?.contains(number) ?? false) { number -= 1 }
        return number
    }
}
