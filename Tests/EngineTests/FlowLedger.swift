import Packet

/// What came out of one end, by flow: how much, what twice, what out of order.
struct FlowLedger {
    /// One flow in one direction.
    struct Key: Hashable {
        let source: IPAddress
        let destination: IPAddress
        let flow: UInt16
    }

    struct Record {
        /// Packets that came out.
        var count = 0
        /// Those of them that had come out before.
        var duplicates = 0
        /// Those that came out behind a later one of their flow.
        var late = 0
        /// The highest number that came out.
        var highest: UInt64?
        fileprivate var seen: [UInt64] = []
    }

    private(set) var records: [Key: Record] = [:]

    mutating func note(_ probe: Probe) {
        let key = Key(source: probe.source, destination: probe.destination, flow: probe.flow)
        records[key, default: Record()].note(probe.number)
    }

    /// All flows together; `highest` is of no flow.
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
        // What a test made up at random has any number.
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
