import Packet
import Proto

/// The keys of a session: those it sends with, those before them for datagrams still in flight, and on a
/// server those that the client has not used yet. Owns the memory of all three.
struct Keys: ~Copyable {
    /// The keys to send with.
    private(set) var current: UnsafeMutablePointer<Epoch>
    /// Server: new keys that the client has not used yet.
    private var next: UnsafeMutablePointer<Epoch>?
    private var previous: UnsafeMutablePointer<Epoch>?
    /// Server: whether the client has proven with a first datagram that it holds the keys. Always true on a
    /// client.
    private(set) var isConfirmed: Bool

    init(_ first: UnsafeMutablePointer<Epoch>, isConfirmed: Bool) {
        current = first
        self.isConfirmed = isConfirmed
    }

    deinit {
        for epoch in [current, next, previous] {
            epoch?.deinitialize(count: 1)
            epoch?.deallocate()
        }
    }

    /// When the peer must have agreed on new keys, or the session ends.
    var expiry: Instant { current.pointee.established + Wire.rejectAfter }

    /// When `dropRetired` has something to do; `.never` without older keys.
    var retirement: Instant { previous.map { $0.pointee.retired + Wire.keepOld } ?? .never }

    /// Server: the client holds the keys.
    mutating func confirm() { isConfirmed = true }

    /// Server: has new keys wait until the client uses them, in place of any that it never used.
    mutating func propose(_ new: UnsafeMutablePointer<Epoch>, keyring: inout Keyring) {
        if let next { Self.destroy(next, keyring: &keyring) }
        next = new
    }

    /// Whether these keys wait for the client to use them.
    func isProposed(_ epoch: UnsafeMutablePointer<Epoch>) -> Bool { next == epoch }

    /// Makes the newest keys the ones to send with.
    mutating func promote(_ new: UnsafeMutablePointer<Epoch>, keyring: inout Keyring, now: Instant) {
        if let previous { Self.destroy(previous, keyring: &keyring) }
        current.pointee.retired = now
        previous = current
        current = new
        next = nil
    }

    /// Forgets keys that were replaced 10 s ago.
    mutating func dropRetired(keyring: inout Keyring, now: Instant) {
        guard let previous, retirement <= now else { return }
        Self.destroy(previous, keyring: &keyring)
        self.previous = nil
    }

    /// Frees the IDs of all keys: nothing finds them any more.
    func release(from keyring: inout Keyring) {
        for epoch in [next, previous, current] {
            if let epoch { keyring.release(epoch.pointee.localID) }
        }
    }

    private static func destroy(_ epoch: UnsafeMutablePointer<Epoch>, keyring: inout Keyring) {
        keyring.release(epoch.pointee.localID)
        epoch.deinitialize(count: 1)
        epoch.deallocate()
    }
}
