import Lab

/// The tunnel's effect on a ping without other traffic, and its resource usage when idle.
struct Rest {
    private let round: Round

    init(_ round: Round) { self.round = round }

    /// Round trips through each contender, minus those over the veth pair. They take turns.
    func delay() throws -> [Sample] {
        var courses: [Course] = []
        defer { for course in courses { course.close() } }
        let bondd = Contender.bondd(cipher: .chacha, paths: 1)
        for contender in [.bare] + round.wireGuard + [bondd] { courses.append(try contender.open()) }
        var trips: [[Double]] = courses.map { _ in [] }
        for _ in 0..<3 {
            for i in courses.indices {
                try round.stopper.check()
                let pings = try PingRun.run(
                    from: courses[i].client, to: courses[i].address, count: 100, interval: 0.005)
                trips[i] += pings.replies.map { $0.rtt * 1000 }
            }
        }
        let medians = trips.map { $0.median ?? .infinity }
        return [Sample("without a tunnel", "µs", medians[0])]
            + courses.indices.dropFirst().map { i in
                Sample(
                    "added by \(courses[i].name)", "µs", medians[i] - medians[0],
                    courses[i].contender.isBondd ? .atMost(150) : nil)
            }
    }

    /// CPU time and memory of idle daemons, all at the same time.
    func idle() throws -> [Sample] {
        var courses: [Course] = []
        defer { for course in courses { course.close() } }
        let contenders = round.wireGuard + [.bondd(cipher: .chacha, paths: 2)]
        for contender in contenders { courses.append(try contender.open()) }
        try round.stopper.wait(seconds: 5)
        let daemons = courses.flatMap { course in course.daemons.map { (course, $0.end, $0.child) } }
        let before = daemons.map { $0.2.cpuSecondsSoFar ?? .infinity }
        let start = Clock.monotonic
        try round.stopper.wait(seconds: 10)
        let after = daemons.map { $0.2.cpuSecondsSoFar ?? .infinity }
        let seconds = Clock.monotonic - start
        var samples: [Sample] = []
        for (i, (course, end, child)) in daemons.enumerated() {
            let isBondd = course.contender.isBondd
            let share = (after[i] - before[i]) / seconds * 100
            samples.append(
                Sample(
                    "\(course.name): processor, \(end)", "% of a core", share, isBondd ? .atMost(0.5) : nil))
            samples.append(
                Sample(
                    "\(course.name): memory, \(end)", "MB", Costs.megabytes(child.residentMemory),
                    isBondd ? .atMost(20) : nil))
        }
        return samples
    }
}
