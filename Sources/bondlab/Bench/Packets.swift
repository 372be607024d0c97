import Lab

/// The rate of UDP packets that arrive almost without loss. All contenders are ready; their searches alternate,
/// one trial at a time, while the others idle.
struct Packets {
    private static let sizes = [64, 1200]
    private static let bondd = Contender.bondd(cipher: .chacha, paths: 1)
    private let round: Round

    init(_ round: Round) { self.round = round }

    /// The figures to compare, with their targets.
    static let ratios = sizes.map {
        Ratio(name($0, bondd), to: "\($0) bytes, wireguard-go", .atLeast(1.3))
    }

    func measure() throws -> [Sample] {
        var courses: [Course] = []
        defer { for course in courses { course.close() } }
        for contender in [.bare] + round.wireGuard + [Self.bondd] { courses.append(try contender.open()) }
        return try Self.sizes.flatMap { try measure(courses, size: $0) }
    }

    private static func name(_ size: Int, _ contender: Contender) -> String {
        "\(size) bytes, \(contender.name)"
    }

    private func measure(_ courses: [Course], size: Int) throws -> [Sample] {
        var searches = courses.map { _ in RateSearch() }
        while searches.contains(where: { $0.next != nil }) {
            for i in courses.indices {
                guard let trial = searches[i].next else { continue }
                try round.stopper.check()
                var plan = PacketFlow.Plan(
                    to: courses[i].address, size: size, rate: trial.rate, seconds: trial.seconds)
                // A tunnel that has to learn a path's capacity may do so first.
                plan.omit = 0.3
                searches[i].note(
                    try PacketFlow.run(from: courses[i].client, to: courses[i].server, plan))
            }
        }
        return zip(courses, searches).flatMap { course, search -> [Sample] in
            let name = Self.name(size, course.contender)
            guard let flow = search.result else {
                Progress.tell("\(name): no rate arrived whole for three seconds")
                return [Sample(name, "packets/s", 0)]
            }
            let unordered = Double(flow.outOfOrder) / Double(max(flow.received, 1))
            return [
                Sample(name, "packets/s", flow.delivered),
                Sample("\(name): lost", "%", flow.loss * 100, .atMost(RateSearch.tolerance * 100)),
                Sample("\(name): out of order", "%", unordered * 100),
            ]
        }
    }
}
