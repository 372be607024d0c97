import Lab

/// The benefit and cost of a server's second data thread: the same flows with one thread and with two,
/// alternating, because the machine's speed drifts.
struct Sharding {
    private struct Turn {
        var megabits = 0.0
        /// The server's CPU seconds for each gigabyte carried.
        var cost = 0.0
    }

    private static let seconds = 4
    private let stopper: Stopper

    init(_ stopper: Stopper) { self.stopper = stopper }

    func measure() throws -> [Sample] {
        var samples: [Sample] = []
        // An idle client occupies the first thread, so that the other client uses the second.
        for (clients, idle, reverse) in [
            (1, 0, false), (1, 0, true), (1, 1, false), (4, 0, false), (4, 0, true),
        ] {
            var sums = [1: Turn(), 2: Turn()]
            for threads in [1, 2, 2, 1] {
                let turn = try turn(clients, idle: idle, threads: threads, reverse: reverse)
                sums[threads]!.megabits += turn.megabits / 2
                sums[threads]!.cost += turn.cost / 2
            }
            let (one, two) = (sums[1]!, sums[2]!)
            let who = "\(clients) client\(clients > 1 ? "s" : "")\(idle > 0 ? " next to an idle one" : "")"
            let what = "\(who) \(reverse ? "down" : "up")"
            samples.append(Sample("\(what), 1 thread", "Mbit/s", one.megabits))
            samples.append(Sample("\(what), 2 threads", "Mbit/s", two.megabits))
            samples.append(Sample("\(what), speed: 2 threads of 1", "%", two.megabits / one.megabits * 100))
            samples.append(Sample("\(what), server's CPU: 2 threads of 1", "%", two.cost / one.cost * 100))
        }
        return samples
    }

    private func turn(_ clients: Int, idle: Int, threads: Int, reverse: Bool) throws -> Turn {
        try stopper.check()
        let tunnel = try Tunnel(threads: threads)
        defer { tunnel.close() }
        for number in 0..<idle + clients {
            _ = try tunnel.client("client\(number)", wires: ["wire\(number)"])
        }
        try tunnel.start()
        let flows = try tunnel.clients.dropFirst(idle).map { client in
            var plan = TCPFlow.Plan(to: Tunnel.serverAddress, seconds: Self.seconds)
            (plan.reverse, plan.port) = (reverse, UInt16(5201 + client.number))
            return try TCPFlow.start(from: client.namespace, to: tunnel.server.namespace, plan)
        }
        let megabits = try flows.reduce(0) { try $0 + $1.finish().megabits }
        let daemon = tunnel.server.child
        tunnel.server.stop()
        let gigabytes = megabits / 8000 * Double(Self.seconds)
        return Turn(megabits: megabits, cost: (daemon?.cpuSeconds ?? .infinity) / gigabytes)
    }
}
