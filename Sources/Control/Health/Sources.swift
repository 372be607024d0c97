import Synchronization

/// Counts open connections by source address, so that one source cannot lock out the others.
final class Sources: Sendable {
    /// Maximum number of connections from one address. Loopback addresses are not counted.
    static let most = 64

    private let counts = Mutex<[String: Int]>([:])

    /// Counts a new connection.
    /// - Returns: false if the address has reached the maximum.
    func admit(_ address: String) -> Bool {
        counts.withLock { counts in
            guard counts[address, default: 0] < Self.most else { return false }
            counts[address, default: 0] += 1
            return true
        }
    }

    /// Counts the end of a connection that was admitted.
    func release(_ address: String) {
        counts.withLock { counts in
            counts[address] = counts[address].flatMap { $0 > 1 ? $0 - 1 : nil }
        }
    }
}
