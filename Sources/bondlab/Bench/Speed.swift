import Lab

/// How fast the programs are: both ends and iperf3 share this machine's cores.
struct Speed {
    private let stopper: Stopper

    init(_ stopper: Stopper) { self.stopper = stopper }

    func measure() throws -> [Sample] {
        [
            Sample("without a tunnel", "Mbit/s", try bare()),
            Sample("tunnel, one path", "Mbit/s", try tunnelled(["wire0"])),
            Sample("tunnel, two paths", "Mbit/s", try tunnelled(["wire0", "wire1"])),
        ]
    }

    private func bare() throws -> Double {
        try stopper.check()
        let lab = try Lab(seed: 1)
        defer { lab.close() }
        let (client, server) = (try lab.namespace("client"), try lab.namespace("server"))
        let wire = try lab.veth("wire0", from: client, to: server)
        return try flow(client, server, to: wire.addresses.ipv4(.server))
    }

    private func tunnelled(_ wires: [String]) throws -> Double {
        try stopper.check()
        let tunnel = try Tunnel()
        defer { tunnel.close() }
        let client = try tunnel.client("client", wires: wires)
        try tunnel.start()
        return try flow(client.namespace, tunnel.server.namespace, to: Tunnel.serverAddress)
    }

    private func flow(_ client: Namespace, _ server: Namespace, to address: String) throws -> Double {
        var plan = TCPFlow.Plan(to: address, seconds: 5)
        (plan.omit, plan.congestion) = (2, "cubic")
        return try TCPFlow.run(from: client, to: server, plan).megabits
    }
}
