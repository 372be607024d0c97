import Synchronization

/// How many connections each address outside has open, so that none can shut the others out.
final class Sources: Sendable {
    /// The most of one address. Loopback addresses are this host's own, and may have all.
    static let most = 64

    private let counts = Mutex<[String: Int]>([:])

    /// Counts a connection in.
    /// - Returns: false when the address has as many as it may.
    func admit(_ address: String) -> Bool {
        counts.withLock { counts in
            guard counts[address, default: 0] < Self.most else { return false }
            counts[address, default: 0] += 1
            return true
        }
    }

    /// Counts a connection out that was admitted.
    func release(_ address: String) {
        counts.withLock { counts in
            counts[address] = counts[address].flatMap { $0 > 1 ? $0 - 1 : nil }
        }
    }
}
