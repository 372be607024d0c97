import Engine
import Proto

/// The data thread of each client. A client stays on its thread while the configuration has it; a new one
/// goes to the thread with the fewest, because a few clients spread at random would often share a thread
/// while another has none.
struct Owners {
    /// The number of threads.
    let count: Int
    private var threads: [PublicKey: Int] = [:]

    init(threads count: Int) { self.count = count }

    /// Assigns a thread to each peer, and forgets peers that are gone.
    mutating func assign(_ peers: inout [EngineConfiguration.Peer]) {
        let known = threads
        threads = [:]
        var clients = [Int](repeating: 0, count: count)
        for index in peers.indices {
            guard let thread = known[peers[index].publicKey] else { continue }
            clients[thread] += 1
        }
        for index in peers.indices {
            let key = peers[index].publicKey
            let thread: Int
            if peers[index].kind != .client {
                // The main thread handles enrolments, which cause next to no load.
                thread = 0
            } else if let old = known[key] {
                thread = old
            } else {
                thread = clients.indices.min { clients[$0] < clients[$1] } ?? 0
                clients[thread] += 1
            }
            threads[key] = thread
            peers[index].shard = thread
        }
    }
}
