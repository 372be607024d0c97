import Packet
import Proto

/// Waiting handshake datagrams, first in, first out, in a fixed amount of memory.
struct DatagramRing<Note>: ~Copyable {
    /// Bytes per place: the longest handshake datagram is an init.
    private static var placeSize: Int { Wire.initSize }

    private let bytes: UnsafeMutableRawBufferPointer
    private let notes: UnsafeMutablePointer<(length: Int, note: Note)>
    private let capacity: Int
    private var head = 0
    private(set) var count = 0

    /// Room for `capacity` datagrams.
    init(capacity: Int) {
        self.capacity = capacity
        bytes = .allocate(byteCount: capacity * Self.placeSize, alignment: 16)
        notes = .allocate(capacity: capacity)
    }

    deinit {
        for offset in 0..<count { (notes + (head + offset) % capacity).deinitialize(count: 1) }
        notes.deallocate()
        bytes.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    /// Appends a datagram; returns false if it does not fit.
    mutating func append(_ datagram: UnsafeRawBufferPointer, _ note: Note) -> Bool {
        guard count < capacity, datagram.count <= Self.placeSize else { return false }
        let place = (head + count) % capacity
        bytes.slice(place * Self.placeSize, datagram.count).copyMemory(from: datagram)
        (notes + place).initialize(to: (datagram.count, note))
        count += 1
        return true
    }

    /// The datagram that has waited longest, valid until `removeFirst` or the next `append`; `nil` if there
    /// is none.
    var first: (datagram: UnsafeRawBufferPointer, note: Note)? {
        guard count > 0 else { return nil }
        let (length, note) = notes[head]
        return (UnsafeRawBufferPointer(bytes.slice(head * Self.placeSize, length)), note)
    }

    /// Removes the datagram that has waited longest.
    /// - Precondition: the ring is not empty.
    mutating func removeFirst() {
        precondition(count > 0)
        (notes + head).deinitialize(count: 1)
        head = (head + 1) % capacity
        count -= 1
    }
}
