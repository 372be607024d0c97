import Packet

/// Transmissions in the order in which they were sent.
struct TransmissionQueue {
    private var entries: [(number: Int, sent: Instant)] = []
    private var head = 0

    var first: (number: Int, sent: Instant)? { head < entries.count ? entries[head] : nil }

    mutating func append(_ number: Int, _ sent: Instant) {
        if head > 8192 && head * 2 > entries.count {
            entries.removeFirst(head)
            head = 0
        }
        entries.append((number, sent))
    }

    mutating func removeFirst() { head += 1 }
}
