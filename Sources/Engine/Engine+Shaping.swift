import Packet
import Proto

/// What a class of service has carried in one session, for people and monitoring.
public struct ClassReport: Sendable {
    /// The class; nil for the default one.
    public let serviceClass: ServiceClass?
    /// The part of the bytes that it gets at least while it has packets waiting, 0 to 1.
    public let share: Double
    /// Packets that left for a path, and their bytes.
    public let packets: UInt64
    /// Their bytes.
    public let bytes: UInt64
    /// Packets waiting.
    public let queued: Int
    /// Packets dropped because too many waited, or because of a standing queue in their flow.
    public let dropped: UInt64
    /// Packets marked instead of dropped.
    public let marked: UInt64
}

// Classes of service, and clients' rates and priorities.
extension Engine {
    /// Replaces the classes of service, as after a reload of the configuration.
    public mutating func setClasses(_ new: [ServiceClass], now: Instant) {
        guard new != classes else { return }
        classes = new
        for index in peers.indices {
            guard let session = peers[index].session else { continue }
            session.pointee.setClasses(new, &resources, now: now)
            touch(session)
        }
    }

    /// Server: keeps a client to these limits from now on, until `replacePeers` sets others.
    /// - Returns: whether this Engine has such a client.
    public mutating func setLimits(_ limits: PeerLimits, of peer: PublicKey) -> Bool {
        guard role == .server, let index = numbers[peer] else { return false }
        peers[index].configuration.limits = limits
        guard let session = peers[index].session else { return true }
        session.pointee.setLimits(limits)
        touch(session)
        return true
    }
}

extension Session {
    /// The classes' reports, the default class first; none while it is alone.
    var classReports: [ClassReport] {
        guard !shaping.classes.isEmpty else { return [] }
        return (0...shaping.classes.count).map { index in
            let (counters, share, queued, dropped, marked) = sendQueue.report(ofClass: index)
            return ClassReport(
                serviceClass: index == 0 ? nil : shaping.classes[index - 1], share: share,
                packets: counters.packets, bytes: counters.bytes, queued: queued,
                dropped: counters.overflowed + dropped, marked: marked)
        }
    }
}
