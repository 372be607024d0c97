/// The response to `Request.bench`: cumulative counters, two of which yield a rate.
package struct BenchStatus: Hashable, Sendable, Codable {
    /// bondd's clock in µs.
    package var clock: UInt64
    /// Bytes of test packets from the server that arrived here.
    package var received: UInt64
    /// The server's clock in µs at its last report of received test packets; 0 before.
    package var serverClock: UInt64
    /// Bytes of test packets that had arrived at the server then.
    package var serverReceived: UInt64
    /// Packets that were lost and not retransmitted.
    package var unrepaired: UInt64
    /// The paths.
    package var paths: [Path]

    /// A path's counters.
    package struct Path: Hashable, Sendable, Codable {
        /// The path's status, as in `bondd status`.
        package var status: PathStatus
        /// Datagrams that the server has sent on it, including those in flight or lost.
        package var expected: UInt64

        /// A path's part.
        package init(status: PathStatus, expected: UInt64) {
            self.status = status
            self.expected = expected
        }
    }

    private enum CodingKeys: String, CodingKey {
        case clock = "clock_us"
        case received = "received_bytes"
        case serverClock = "server_clock_us"
        case serverReceived = "server_received_bytes"
        case unrepaired, paths
    }

    /// Counters at a time.
    package init(
        clock: UInt64, received: UInt64, serverClock: UInt64, serverReceived: UInt64, unrepaired: UInt64,
        paths: [Path]
    ) {
        self.clock = clock
        self.received = received
        self.serverClock = serverClock
        self.serverReceived = serverReceived
        self.unrepaired = unrepaired
        self.paths = paths
    }
}
