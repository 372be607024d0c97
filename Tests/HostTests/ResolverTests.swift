import Glibc
import Packet
import Settings
import Testing

@testable import Host

@Suite struct ResolverTests {
    func answers(_ resolver: Resolver, _ count: Int) -> [Resolver.Resolution] {
        var all: [Resolver.Resolution] = []
        while all.count < count {
            var watched = pollfd(fd: resolver.fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&watched, 1, 20_000) == 1 else { break }
            all += resolver.take()
        }
        return all
    }

    @Test func addressesAreTheirOwnAnswer() throws {
        let resolver = try Resolver()
        let name = try #require(HostPort("[2001:db8::7]:5000"))
        resolver.resolve(name)
        #expect(
            resolver.take() == [.init(name: name, endpoints: [Endpoint("[2001:db8::7]:5000")!], problem: nil)]
        )
        #expect(resolver.take().isEmpty)
    }

    @Test func namesOfThisHostAreResolved() throws {
        let resolver = try Resolver()
        let name = try #require(HostPort("localhost:5000"))
        resolver.resolve(name)
        let answer = try #require(answers(resolver, 1).first)
        #expect(answer.name == name && answer.problem == nil)
        let loopback = [Endpoint("127.0.0.1:5000")!, Endpoint("[::1]:5000")!]
        #expect(!answer.endpoints.isEmpty && answer.endpoints.allSatisfy { loopback.contains($0) })
    }

    @Test func manyAtOnceAllHaveAnAnswer() throws {
        let resolver = try Resolver()
        let names = try (1...12).map { try #require(HostPort("localhost:\($0)")) }
        for name in names { resolver.resolve(name) }
        #expect(Set(answers(resolver, 12).map(\.name)) == Set(names))
    }

    @Test func unknownNamesHaveAReason() throws {
        let resolver = try Resolver()
        // RFC 6761 6.4: this name never exists.
        resolver.resolve(try #require(HostPort("nobody.invalid:5000")))
        let answer = try #require(answers(resolver, 1).first)
        #expect(answer.endpoints.isEmpty)
        #expect(answer.problem?.hasPrefix("could not resolve nobody.invalid: ") == true)
    }

    @Test func aResolverMayGoWhileItWorks() throws {
        for _ in 0..<50 { try Resolver().resolve(try #require(HostPort("localhost:1"))) }
    }
}
