import Packet

/// A binary heap of deadlines. Entries are never removed before their time: the object that gets attention
/// checks whether it still needs it.
struct Deadlines: ~Copyable {
    private var heap: [(at: UInt64, token: UInt64)] = []

    /// The earliest deadline; `.never` if there is none.
    var next: Instant { heap.isEmpty ? .never : Instant(nanoseconds: heap[0].at) }

    /// Schedules attention for the token's object.
    mutating func add(_ token: Token, at instant: Instant) {
        var position = heap.count
        heap.append((instant.nanoseconds, token.bits))
        while position > 0 {
            let parent = (position - 1) / 2
            if heap[parent].at <= heap[position].at { break }
            heap.swapAt(parent, position)
            position = parent
        }
    }

    /// Removes the earliest deadline unless it is later than `now`.
    mutating func take(_ now: Instant) -> (token: Token, at: Instant)? {
        guard let first = heap.first, first.at <= now.nanoseconds else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        guard let token = Token(bits: first.token) else { return nil }
        return (token, Instant(nanoseconds: first.at))
    }

    private mutating func sink() {
        var position = 0
        while true {
            var child = position * 2 + 1
            if child >= heap.count { return }
            if child + 1 < heap.count && heap[child + 1].at < heap[child].at { child += 1 }
            if heap[position].at <= heap[child].at { return }
            heap.swapAt(position, child)
            position = child
        }
    }
}
