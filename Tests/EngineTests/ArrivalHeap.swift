/// Arrivals in order of time, and in order of departure where the time is the same.
struct ArrivalHeap {
    private var heap: [Arrival] = []

    var first: Arrival? { heap.first }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        (heap[a].time, heap[a].order) < (heap[b].time, heap[b].order)
    }

    mutating func insert(_ arrival: Arrival) {
        heap.append(arrival)
        var i = heap.count - 1
        while i > 0, isBefore(i, (i - 1) / 2) {
            heap.swapAt(i, (i - 1) / 2)
            i = (i - 1) / 2
        }
    }

    mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var i = 0
        while true {
            var child = i * 2 + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count && isBefore(child + 1, child) { child += 1 }
            guard isBefore(child, i) else { return }
            heap.swapAt(child, i)
            i = child
        }
    }
}
