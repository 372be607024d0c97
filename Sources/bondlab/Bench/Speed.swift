import Lab

/// The speed of the programs, and its cost: one TCP flow (Cubic), with both ends and iperf3 on this machine's
/// cores. The contenders take turns, each with fresh daemons in every run.
struct Speed {
    private let round: Round

    init(_ round: Round) { self.round = round }

    func measure() throws -> [Sample] {
        var samples: [Sample] = []
        // It only shows how far the machine is from being the limit.
        if round.isMiddle { samples += try flows(of: .bare) }
        for contender in round.wireGuard { samples += try flows(of: contender) }
        for cipher in [Contender.Cipher.chacha, .aes] {
            for paths in 1...2 { samples += try flows(of: .bondd(cipher: cipher, paths: paths)) }
        }
        if round.isMiddle { samples += try ceilings() }
        return samples
    }

    private func ceilings() throws -> [Sample] {
        guard let probe = round.rivals?.ceiling else { return [] }
        do {
            return try ["chacha", "aes"].flatMap { cipher in
                try probe.measure(cipher, round.stopper).map { Sample(Self.ceiling(cipher), "Mbit/s", $0) }
            }
        } catch let error as LabError {
            // A probe that does not work here should not discard all other figures.
            Progress.tell("Without the ceiling: \(error)")
            return []
        }
    }

    private static func ceiling(_ cipher: String) -> String { "ceiling, \(cipher)" }

    /// The figures to compare, with their targets.
    static let ratios: [Ratio] = {
        var ratios: [Ratio] = []
        let ciphers = [(Contender.Cipher.chacha, "chacha", 1.3), (.aes, "aes", 1.7)]
        for (cipher, ceiling, advantage) in ciphers {
            let one = Contender.bondd(cipher: cipher, paths: 1).name
            let two = Contender.bondd(cipher: cipher, paths: 2).name
            for way in ["up", "down"] {
                ratios.append(Ratio("\(one), \(way)", to: "wireguard-go, \(way)", .atLeast(advantage)))
            }
            ratios.append(Ratio("\(one), up", to: Self.ceiling(ceiling), .atLeast(0.9)))
            for way in ["up", "down"] {
                ratios.append(Ratio("\(two), \(way)", to: "\(one), \(way)", .atLeast(0.9)))
            }
            ratios.append(Ratio("\(one), both ways at once", to: "\(one), up", .atLeast(1.1)))
        }
        return ratios
    }()

    private func flows(of contender: Contender) throws -> [Sample] {
        try round.stopper.check()
        let course = try contender.open()
        defer { course.close() }
        let name = contender.name
        if case .bare = contender { return [Sample("\(name), up", "Mbit/s", try flow(course, .up))] }
        let costs = Costs(of: course)
        var samples = [Sample("\(name), up", "Mbit/s", try flow(course, .up))]
        let spent = costs.samples()
        samples.append(Sample("\(name), down", "Mbit/s", try flow(course, .down)))
        if case .bondd(.chacha, 1) = contender {
            samples.append(Sample("\(name), both ways at once", "Mbit/s", try bothWays(course)))
        }
        return samples + spent
    }

    private func flow(_ course: Course, _ way: LinkDirection) throws -> Double {
        try round.stopper.check()
        return try TCPFlow.run(from: course.client, to: course.server, plan(course, way)).megabits
    }

    /// The sum of a flow in each direction.
    private func bothWays(_ course: Course) throws -> Double {
        try round.stopper.check()
        let flows = try [LinkDirection.up, .down].map { way in
            try TCPFlow.start(from: course.client, to: course.server, plan(course, way))
        }
        return try flows.map { try $0.finish().megabits }.reduce(0, +)
    }

    private func plan(_ course: Course, _ way: LinkDirection) -> TCPFlow.Plan {
        var plan = TCPFlow.Plan(to: course.address, seconds: 2)
        (plan.omit, plan.congestion, plan.reverse) = (1, "cubic", way == .down)
        plan.port = way == .up ? 5201 : 5202
        return plan
    }
}
