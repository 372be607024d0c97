import Packet

/// When each session next needs attention: a binary heap that knows each session's position in it.
struct TimerQueue: ~Copyable {
    private var heap: [Int32] = []
    private var positions: [Int32] = []
    private var deadlines: [Instant] = []

    /// The earliest deadline; `.never` if there is none.
    var next: Instant { heap.isEmpty ? .never : deadlines[Int(heap[0])] }

    /// The session with the earliest deadline, if that is not after `now`.
    func due(_ now: Instant) -> Int? {
        guard !heap.isEmpty, deadlines[Int(heap[0])] <= now else { return nil }
        return Int(heap[0])
    }

    /// Sets the session's deadline; `.never` removes it.
    mutating func set(_ session: Int, to deadline: Instant) {
        while positions.count <= session {
            positions.append(-1)
            deadlines.append(.never)
        }
        let position = Int(positions[session])
        if deadline == .never {
            if position >= 0 { remove(at: position) }
            deadlines[session] = .never
            return
        }
        if position < 0 {
            deadlines[session] = deadline
            heap.append(Int32(session))
            positions[session] = Int32(heap.count - 1)
            rise(heap.count - 1)
        } else if deadline != deadlines[session] {
            let later = deadline > deadlines[session]
            deadlines[session] = deadline
            if later { sink(position) } else { rise(position) }
        }
    }

    private mutating func remove(at position: Int) {
        positions[Int(heap[position])] = -1
        let last = heap.removeLast()
        guard position < heap.count else { return }
        heap[position] = last
        positions[Int(last)] = Int32(position)
        sink(position)
        rise(Int(positions[Int(last)]))
    }

    private func deadline(at position: Int) -> Instant { deadlines[Int(heap[position])] }

    private mutating func exchange(_ a: Int, _ b: Int) {
        heap.swapAt(a, b)
        positions[Int(heap[a])] = Int32(a)
        positions[Int(heap[b])] = Int32(b)
    }

    private mutating func rise(_ start: Int) {
        var position = start
        while position > 0, deadline(at: position) < deadline(at: (position - 1) / 2) {
            exchange(position, (position - 1) / 2)
            position = (position - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var position = start
        while true {
            var child = position * 2 + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count && deadline(at: child + 1) < deadline(at: child) { child += 1 }
            guard deadline(at: child) < deadline(at: position) else { return }
            exchange(child, position)
            position = child
        }
    }
}
