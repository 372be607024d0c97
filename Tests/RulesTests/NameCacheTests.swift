import Packet
import Testing

@testable import Rules

private func at(_ seconds: Int64) -> Instant { .zero + .seconds(100 + seconds) }

@Suite struct NameCacheTests {
    private let one = [IPAddress("10.77.0.2")!]
    private let two = [IPAddress("10.77.0.3")!]

    @Test func oneLookupANameIsUnderWay() {
        var cache = NameCache()
        #expect(cache.look(up: "Web.example", at: at(0)) == .ask)
        #expect(cache.look(up: "web.example", at: at(1)) == .wait)
        #expect(cache.look(up: "other.example", at: at(1)) == .ask)
        #expect(cache.resolve("web.example", to: one, lifetime: 60, at: at(1)) == one)
        #expect(cache.look(up: "WEB.example", at: at(1)) == .addresses(one))
        #expect(cache.look(up: "other.example", at: at(8)) == .wait)
        #expect(cache.look(up: "other.example", at: at(10)) == .ask, "the first asker is lost")
    }

    @Test(arguments: [(0, 5), (1, 5), (60, 60), (300, 300), (86400, 300), (-5, 5)] as [(Int64, Int64)])
    func lifetimesAreClamped(_ lifetime: Int64, _ expected: Int64) {
        var cache = NameCache()
        _ = cache.look(up: "a", at: at(0))
        cache.resolve("a", to: one, lifetime: lifetime, at: at(0))
        #expect(cache.look(up: "a", at: at(expected) - .milliseconds(1)) == .addresses(one))
        #expect(cache.look(up: "a", at: at(expected)) == .ask)
    }

    @Test func oldAddressesServeWhileDNSFails() {
        var cache = NameCache()
        _ = cache.look(up: "a", at: at(0))
        cache.resolve("a", to: one, lifetime: 10, at: at(0))
        #expect(cache.look(up: "a", at: at(10)) == .ask)
        #expect(cache.fail("a", at: at(13)) == one)
        #expect(cache.look(up: "a", at: at(15)) == .addresses(one))
        #expect(cache.look(up: "a", at: at(16)) == .ask)
        #expect(cache.resolve("a", to: two, lifetime: 10, at: at(17)) == two)
        #expect(cache.look(up: "a", at: at(27)) == .ask)
        #expect(cache.resolve("a", to: [], lifetime: 10, at: at(56)) == two)
        #expect(cache.look(up: "a", at: at(56)) == .addresses(two))
        #expect(cache.look(up: "a", at: at(57)) == .unknown, "30 s are over")
        #expect(cache.look(up: "a", at: at(59)) == .ask)
        #expect(cache.fail("a", at: at(60)) == nil)
    }

    @Test func failuresAreRememberedForThreeSeconds() {
        var cache = NameCache()
        _ = cache.look(up: "a", at: at(0))
        #expect(cache.fail("a", at: at(1)) == nil)
        #expect(cache.look(up: "a", at: at(4) - .milliseconds(1)) == .unknown)
        #expect(cache.look(up: "a", at: at(4)) == .ask)
    }

    @Test func onlySoManyNamesAreRemembered() {
        var cache = NameCache(capacity: 3)
        for (index, name) in ["a", "b", "c"].enumerated() {
            #expect(cache.look(up: name, at: at(0)) == .ask)
            if index < 2 { cache.resolve(name, to: one, lifetime: Int64(100 - index), at: at(0)) }
        }
        #expect(cache.look(up: "d", at: at(1)) == .ask)
        #expect(
            cache.count == 3 && cache.look(up: "a", at: at(1)) == .addresses(one), "b's addresses end first")
        #expect(cache.look(up: "e", at: at(1)) == .ask)
        #expect(cache.look(up: "f", at: at(1)) == .unknown, "all are being asked for")
        cache.resolve("nobody", to: one, lifetime: 5, at: at(1))
        #expect(cache.count == 3)
        #expect(cache.look(up: "f", at: at(11)) == .ask)
    }
}
