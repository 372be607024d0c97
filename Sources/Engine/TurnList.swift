/// Sessions that have their turn, those of the lowest priority first, and among these the last first.
struct TurnList {
    private static let last = Int(PeerLimits.lowestPriority)

    private var lists = InlineArray<4, [Int32]>(repeating: [])
    /// The lowest priority that may have sessions.
    private var lowest = last
    private var count = 0

    /// Whether no session waits for its turn.
    var isEmpty: Bool { count == 0 }

    /// The session whose turn it is.
    var next: Int? {
        if count == 0 { return nil }
        for priority in lowest...Self.last where !lists[priority].isEmpty {
            return Int(lists[priority][lists[priority].count - 1])
        }
        return nil
    }

    /// Adds a session.
    mutating func append(_ session: Int, priority: UInt8) {
        let priority = min(Int(priority), Self.last)
        lists[priority].append(Int32(session))
        count += 1
        lowest = min(lowest, priority)
    }

    /// Removes the session whose turn it was.
    mutating func removeNext() {
        for priority in lowest...Self.last where !lists[priority].isEmpty {
            lists[priority].removeLast()
            count -= 1
            lowest = lists[priority].isEmpty ? min(priority + 1, Self.last) : priority
            return
        }
    }

    /// Moves all sessions of `others` behind those of their priority.
    mutating func postpone(_ others: inout TurnList) {
        if others.count == 0 { return }
        count += others.count
        others.count = 0
        for priority in 0...Self.last where !others.lists[priority].isEmpty {
            lists[priority].insert(contentsOf: others.lists[priority], at: 0)
            others.lists[priority].removeAll(keepingCapacity: true)
            lowest = min(lowest, priority)
        }
        others.lowest = Self.last
    }
}
