import Packet

/// The packets that arrived at one end, by flow: the count, duplicates, and packets out of order.
struct FlowLedger {
    /// One flow in one direction.
    struct Key: Hashable {
        let source: IPAddress
        let destination: IPAddress
        let flow: UInt16
    }

    struct Record {
        /// Packets that arrived.
        var count = 0
        /// Packets among them that had arrived before.
        var duplicates = 0
        /// Packets that arrived after a later one of their flow.
        var late = 0
        /// The highest number that arrived.
        var highest: UInt64?
        fileprivate var seen: [UInt64] = []
    }

    private(set) var records: [Key: Record] = [:]

    mutating func note(_ probe: Probe) {
        let key = Key(source: probe.source, destination: probe.destination, flow: probe.flow)
        records[key, default: Record()].note(probe.number)
    }

    /// All flows together, without `highest`.
    var total: Record {
        var total = Record()
        for record in records.values {
            total.count += record.count
            total.duplicates += record.duplicates
            total.late += record.late
        }
        return total
    }
}

extension FlowLedger.Record {
    fileprivate mutating func note(_ number: UInt64) {
        // Packets made up at random by a test have any number.
        guard number < 1 << 30 else { return }
        let word = Int(number / 64)
        while seen.count <= word { seen.append(0) }
        count += 1
        if seen[word] >> (number & 63) & 1 == 1 { duplicates += 1 }
        seen[word] |= 1 << (number & 63)
        if let highest, number < highest { late += 1 }
        highest = max(highest ?? 0, number)
    }
}
