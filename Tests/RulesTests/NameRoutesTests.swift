import LinkModel
import Testing

@testable import Rules

@Suite struct NameRoutesTests {
    @Test func theNameItselfThenAWildcardThenTheRest() throws {
        var routes = NameRoutes()
        #expect(routes.isEmpty && !routes.hasNames && routes.route("a.example") == nil)
        try routes.add("A.Example.org", .pushed(1))
        try routes.add("*.example.org", .pushed(2))
        #expect(routes.route("a.example.org")! == (.pushed(1), .exact))
        #expect(routes.route("A.EXAMPLE.ORG.")! == (.pushed(1), .exact))
        #expect(routes.route("b.example.org")! == (.pushed(2), .wildcard))
        for miss in ["x.b.example.org", "example.org", "org", "", ".", "a..example.org", nil] {
            #expect(routes.route(miss) == nil, "\(miss ?? "none")")
        }
        #expect(routes.hasNames && !routes.isEmpty)
        try routes.add(nil, .pushed(3))
        #expect(routes.route("example.org")! == (.pushed(3), .fallback))
        #expect(routes.route(nil)! == (.pushed(3), .fallback))
        #expect(Set(routes.ids) == [.pushed(1), .pushed(2), .pushed(3)])
        routes.remove(.pushed(1))
        #expect(routes.route("a.example.org")! == (.pushed(2), .wildcard))
        routes.remove(.pushed(2))
        #expect(!routes.hasNames && !routes.isEmpty)
        routes.remove(.pushed(3))
        #expect(routes.isEmpty)
    }

    @Test func twoRulesAreNotForTheSame() throws {
        var routes = NameRoutes()
        try routes.add("a.example", .pushed(1))
        #expect(throws: RuleRefusal.portInUse(nil)) { try routes.add("A.example.", .pushed(2)) }
        try routes.add("*.a.example", .pushed(3))
        #expect(throws: RuleRefusal.portInUse(nil)) { try routes.add("*.A.example", .pushed(4)) }
        try routes.add(nil, .pushed(5))
        #expect(throws: RuleRefusal.portInUse(nil)) { try routes.add(nil, .pushed(6)) }
        #expect(throws: RuleRefusal.modeChangeUnsupported) { try routes.add("*.com", .pushed(7)) }
        #expect(routes.route("a.example")! == (.pushed(1), .exact))
        #expect(routes.ids.count == 3)
    }

    /// Compares with a walk through all patterns, label by label.
    @Test(arguments: [UInt64(1), 2, 3])
    func routesAsAWalkDoes(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let labels = ["a", "b", "c", "A"]
        func name() -> [String] {
            (0..<Int.random(in: 1...4, using: &random)).map { _ in labels.randomElement(using: &random)! }
        }
        for round in 0..<2000 {
            var routes = NameRoutes()
            var patterns: [(labels: [String], id: RuleID)] = []
            for number in 0..<UInt64(Int.random(in: 0...6, using: &random)) {
                var pattern = name()
                if pattern.count > 2, Bool.random(using: &random) { pattern[0] = "*" }
                let canonical = pattern.map { $0.lowercased() }
                let isNew = !patterns.contains { $0.labels == canonical }
                let added: Void? = try? routes.add(pattern.joined(separator: "."), .pushed(number))
                try #require((added != nil) == isNew, "seed \(seed), round \(round), \(pattern)")
                if isNew { patterns.append((canonical, .pushed(number))) }
            }
            for _ in 0..<10 {
                let asked = name()
                let lower = asked.map { $0.lowercased() }
                let exact = patterns.first { $0.labels == lower }
                let wild = patterns.first {
                    $0.labels[0] == "*" && $0.labels.dropFirst() == lower.dropFirst()
                }
                let found = routes.route(asked.joined(separator: "."))
                try #require(found?.rule == (exact ?? wild)?.id, "seed \(seed), round \(round), \(asked)")
                try #require(found.map { $0.match == .exact } == (exact ?? wild).map { _ in exact != nil })
            }
        }
    }
}
