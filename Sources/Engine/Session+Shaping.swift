import Packet
import Proto
import Scheduler

/// How a session divides what it sends among classes of service, and what it takes from a client.
struct Shaping: ~Copyable {
    /// Time for which packets of a client may arrive at more than its rate, after a pause: they may have waited
    /// for their order.
    private static let policedBurst = Interval.milliseconds(500)

    /// Finds the class of each packet to the peer.
    private(set) var classifier = Classifier([])
    /// The classes in force.
    private(set) var classes: [ServiceClass] = []
    /// The configuration's.
    var own: [ServiceClass] = []
    /// Server: the client's wish; empty without one.
    var wished: [ServiceClass] = []
    /// Server: the client's priority.
    var priority = PeerLimits().priority
    /// Server: keeps the client's packets to its rate, if the client does not.
    var policer = Throttle()

    /// Has the classes that are due, the client's wish before the server's own, in force.
    /// - Returns: whether they are others than before.
    mutating func renew() -> Bool {
        let due = wished.isEmpty ? own : wished
        guard due != classes else { return false }
        classes = due
        classifier = Classifier(due)
        return true
    }

    /// Sets the policer's rate in bytes a second.
    mutating func police(_ rate: UInt64) {
        if rate != policer.rate { policer = Throttle(rate: rate, burst: Self.policedBurst) }
    }
}

// Classes of service and rates.
extension Session {
    /// Bytes of data that the session may send before others have their turn.
    var turnBudget: Int {
        (2 * Self.turnBudget) >> Int(min(shaping.priority, PeerLimits.lowestPriority))
    }

    /// Uses these classes for packets to the peer; a client also asks the server for them.
    mutating func setClasses(_ classes: [ServiceClass], _ resources: inout Resources, now: Instant) {
        shaping.own = classes
        if isClient {
            owed.shaping.wish(rate: 0, classes: classes.compactMap(\.wished))
        }
        renewClasses(&resources, now: now)
    }

    /// Server: keeps the client to these limits.
    mutating func setLimits(_ limits: PeerLimits) {
        shaping.priority = limits.priority
        shaping.police(limits.rateUp)
        sendQueue.rate = limits.rateDown
        owed.shaping.wish(rate: UInt32(clamping: limits.rateUp / 125), classes: [])
    }

    /// Acts on the peer's wish, or on its acknowledgement of ours.
    mutating func take(
        shaping revision: UInt8, _ reader: borrowing FrameReader, _ resources: inout Resources, now: Instant
    ) {
        if reader.isAcknowledgement {
            owed.shaping.acknowledged(revision)
            return
        }
        guard owed.shaping.mayTake(now: now), let wish = reader.shaping else { return }
        owed.shaping.took(revision)
        if isClient {
            sendQueue.rate = ServiceClass.bytes(kilobits: wish.rate)
        } else {
            shaping.wished = wish.classes
            renewClasses(&resources, now: now)
        }
    }

    private mutating func renewClasses(_ resources: inout Resources, now: Instant) {
        guard shaping.renew() else { return }
        sendQueue.replaceClasses(
            shaping.classes, shaping.classifier, now: now, pool: &resources.pool, notes: resources.notes)
    }

    /// Finds the class of a packet that enters the tunnel in `slot`, and clears the mark by which this host
    /// told it.
    func classify(
        _ packet: InnerPacket, in slot: Slot, _ note: inout PacketNotes.Note, _ resources: borrowing Resources
    ) {
        guard !shaping.classifier.isTrivial else { return }
        note.serviceClass = shaping.classifier.number(of: packet)
        if shaping.classifier.isMark(packet.codepoint) {
            InnerPacket.clearCodepoint(in: resources.pool.packet(in: slot))
        }
        // Calls and games; a TCP flow is better off in order.
        if note.trafficClass == .bulk, packet.transportProtocol != TransportProtocol.tcp.rawValue,
            shaping.classifier.isForemost(note.serviceClass)
        {
            note.trafficClass = .realtime
        }
    }

    /// Server: whether the client's rate lets a packet of `length` bytes pass.
    mutating func isWithinRate(_ length: Int, now: Instant) -> Bool {
        guard shaping.policer.isOn else { return true }
        guard shaping.policer.allows(now) else { return false }
        shaping.policer.book(length, now: now)
        return true
    }
}

extension ServiceClass {
    /// The class as a wish: without the marks, which only this host sets; nil if nothing else is in it.
    fileprivate var wished: ServiceClass? {
        guard codepoints != 0 || !ports.isEmpty else { return nil }
        var wish = self
        wish.isMarkedHere = false
        return wish
    }
}
