import Packet
import Scheduler

/// The paths of a session, at most 16, each allocated separately.
struct PathList: ~Copyable {
    /// Not an InlineArray, where reading one element copies all of them.
    private let pointers: UnsafeMutablePointer<UnsafeMutablePointer<Path>>
    private(set) var count = 0

    init() { pointers = .allocate(capacity: Lanes.maximum) }

    deinit {
        for i in 0..<count {
            pointers[i].deinitialize(count: 1)
            pointers[i].deallocate()
        }
        pointers.deallocate()
    }

    subscript(index: Int) -> UnsafeMutablePointer<Path> {
        precondition(index >= 0 && index < count)
        return pointers[index]
    }

    /// The index of the path with that ID.
    func find(_ id: UInt16) -> Int? {
        for i in 0..<count where pointers[i].pointee.id == id { return i }
        return nil
    }

    /// Adds a path; `nil` if there are 16 already.
    mutating func append(_ path: consuming Path) -> Int? {
        guard count < Lanes.maximum else { return nil }
        let pointer = UnsafeMutablePointer<Path>.allocate(capacity: 1)
        pointer.initialize(to: path)
        (pointers + count).initialize(to: pointer)
        count += 1
        return count - 1
    }

    /// Removes a path and releases everything that it holds.
    mutating func remove(at index: Int, pool: inout PacketPool) {
        let pointer = self[index]
        pointer.pointee.removeAll(pool: &pool)
        pointer.deinitialize(count: 1)
        pointer.deallocate()
        for i in index..<count - 1 { pointers[i] = pointers[i + 1] }
        count -= 1
    }
}
