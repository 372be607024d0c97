import Lab

/// The cost of carrying rules in user space, compared with other programs that forward the same TCP ports, if
/// installed (Debian: haproxy, socat); generators, the program and the service share this machine's cores.
struct Services {
    private let stopper: Stopper

    init(_ stopper: Stopper) { self.stopper = stopper }

    /// The figures to compare.
    static let ratios: [Ratio] =
        ["haproxy", "socat"].flatMap { rival in
            ["up", "down", "connections a second"].map {
                Ratio("bondd, \($0)", to: "\(rival), \($0)", .atLeast(0.8))
            }
        }

    func measure() throws -> [Sample] {
        Descriptors.allow(65_536)
        let course = try ServiceCourse()
        defer { course.close() }
        return try [speed, rates, crowds, slowTalkers, caps].flatMap { try $0(course) }
    }

    /// Measures the forwarders. The ceiling is the gateway's routing without a program.
    func speed(_ course: ServiceCourse) throws -> [Sample] {
        let routed = try flows(course, nil, of: [nil, nil])
        return try routed + Forwarder.installed.flatMap { try flows(course, $0, of: routed.map(\.value)) }
    }

    func rates(_ course: ServiceCourse) throws -> [Sample] {
        try Forwarder.installed.flatMap { try rate(course, $0) }
    }

    func crowds(_ course: ServiceCourse) throws -> [Sample] {
        try Forwarder.installed.filter { $0 != .socat }.flatMap { try crowd(course, $0, udp: false) }
            + crowd(course, .bondd, udp: true)
    }

    /// One TCP flow (Cubic) in each direction.
    private func flows(
        _ course: ServiceCourse, _ forwarder: Forwarder?, of ceilings: [Double?]
    ) throws -> [Sample] {
        try zip(["up", "down"], ceilings).map { way, ceiling in
            try stopper.check()
            let program = try forwarder?.start(on: course, ports: [5201])
            defer { program?.kill() }
            let address = forwarder == nil ? course.hostAddress : course.gatewayAddress
            var plan = TCPFlow.Plan(to: address, seconds: 3)
            (plan.omit, plan.congestion, plan.reverse) = (1, "cubic", way == "down")
            let megabits = try TCPFlow.run(from: course.user, to: course.host, plan).megabits
            return Sample("\(forwarder?.rawValue ?? "routed"), \(way)", "Mbit/s", megabits, of: ceiling)
        }
    }

    /// Consecutive connections, 64 at a time, each with one byte in both directions.
    private func rate(_ course: ServiceCourse, _ forwarder: Forwarder) throws -> [Sample] {
        try stopper.check()
        let program = try forwarder.start(on: course, ports: [7])
        defer { program.kill() }
        let echo = try EchoServer(in: course.host, port: 7)
        defer { echo.stop() }
        let callers = try Callers(in: course.user, to: course.gatewayAddress, port: 7)
        let (rate, failed) = callers.rate(parallel: 64, seconds: 4)
        let isOurs = forwarder == .bondd
        return [
            Sample("\(forwarder), connections a second", "", rate, isOurs ? .atLeast(5000) : nil),
            Sample("\(forwarder), connections that failed", "", Double(failed), isOurs ? .atMost(0) : nil),
        ]
    }

    /// 10,000 connections or flows at once, and their memory usage.
    private func crowd(_ course: ServiceCourse, _ forwarder: Forwarder, udp: Bool) throws -> [Sample] {
        try stopper.check()
        // On a host with a limit below 20,300 descriptors, fewer connections are used.
        let count = udp ? 10_000 : min(10_000, Descriptors.connections)
        let program = try forwarder.start(
            on: course, ports: [7], rules: forwarder == .bondd ? ["udp:7=HOST:7,flows=20000"] : [])
        defer { program.kill() }
        let echo = try EchoServer(in: course.host, port: 7)
        defer { echo.stop() }
        let callers = try Callers(in: course.user, to: course.gatewayAddress, port: 7, udp: udp)
        defer { callers.hangUp() }
        let answered = callers.hold(count)
        let again = callers.callAgain()
        let name = "\(forwarder), \(count) \(udp ? "UDP flows" : "TCP connections")"
        let isOurs = forwarder == .bondd
        return [
            Sample(
                "\(name): answered", "", Double(min(answered, again)), isOurs ? .atLeast(Double(count)) : nil),
            Sample(
                "\(name): memory", "MB", Costs.megabytes(program.residentMemory), isOurs ? .atMost(150) : nil),
        ]
    }

    /// Calls with a server name, and calls to another port, while 2000 callers send their greeting byte by byte.
    func slowTalkers(_ course: ServiceCourse) throws -> [Sample] {
        let program = try Forwarder.bondd.start(
            on: course, ports: [7], rules: ["tcp:8=HOST:7,name=host.example"])
        defer { program.kill() }
        let echo = try EchoServer(in: course.host, port: 7)
        defer { echo.stop() }
        let hello = Greeting.hello("host.example")
        let named = try Callers(in: course.user, to: course.gatewayAddress, port: 8, saying: hello)
        let plain = try Callers(in: course.user, to: course.gatewayAddress, port: 7)
        let before = try delays(named, plain)
        let talkers = try SlowTalkers(
            in: course.user, to: course.gatewayAddress, port: 8, count: 2000, saying: hello)
        defer { talkers.stop() }
        try stopper.wait(seconds: 1.5)
        let during = try delays(named, plain)
        return [
            Sample(
                "2000 slow talkers: a call with a name takes longer by", "ms", during.0 - before.0,
                .atMost(50)),
            Sample(
                "2000 slow talkers: a call to another port takes longer by", "ms", during.1 - before.1,
                .atMost(50)),
        ]
    }

    /// The 99th percentile of 200 call times in ms, for each of both.
    private func delays(_ named: Callers, _ plain: Callers) throws -> (Double, Double) {
        var delays: [(Double, Double)] = []
        for _ in 0..<200 {
            delays.append((named.call(), plain.call()))
            try stopper.wait(seconds: 0.02)
        }
        return (delays.map(\.0).sorted()[197], delays.map(\.1).sorted()[197])
    }

    /// The traffic that passes a limit of 1 MiB per second in 10 s, and the connections that pass a limit of 100.
    func caps(_ course: ServiceCourse) throws -> [Sample] {
        let mebibyte = 1 << 20
        let rules = [
            "tcp:5202=HOST:5202,out=\(mebibyte)", "tcp:5203=HOST:5203,in=\(mebibyte)",
            "tcp:9=HOST:7,connections=100",
        ]
        let program = try Forwarder.bondd.start(on: course, ports: [7], rules: rules)
        defer { program.kill() }
        var samples = try [("down", UInt16(5202)), ("up", 5203)].map { way, port in
            try stopper.check()
            var plan = TCPFlow.Plan(to: course.gatewayAddress, seconds: 10)
            // A second's worth may pass at once, and buffers fill.
            (plan.omit, plan.reverse, plan.port) = (5, way == "down", port)
            let megabits = try TCPFlow.run(from: course.user, to: course.host, plan).megabits
            let error = abs(megabits * 1e6 / 8 / Double(mebibyte) - 1) * 100
            return Sample("1 MiB/s \(way): off by", "%", error, .atMost(5))
        }
        let echo = try EchoServer(in: course.host, port: 7)
        defer { echo.stop() }
        let callers = try Callers(in: course.user, to: course.gatewayAddress, port: 9)
        defer { callers.hangUp() }
        let off = abs(callers.hold(300, seconds: 5) - 100)
        samples.append(Sample("a cap of 100 connections: off by", "", Double(off), .atMost(0)))
        return samples
    }
}
