import Packet
import Proto
import Scheduler
import Testing

@testable import Engine

/// The endpoint of the server used by a client's path.
@Suite struct RaceTests {
    /// A client with several endpoints, on each of which the server listens or not, over a link with a round trip.
    private final class Net {
        private struct Datagram {
            let at: Instant
            let isToServer: Bool
            let path: UInt16
            let endpoint: Endpoint
            let bytes: [UInt8]
        }

        var client: Engine
        var server: Engine
        var now = Instant(nanoseconds: 1_000_000_000)
        /// The endpoints that lead to the server.
        var alive: Set<Endpoint> = []
        /// Those that receive nothing, although datagrams sent from them arrive.
        var deaf: Set<Endpoint> = []
        var events: [EngineEvent] = []
        /// The number of datagrams sent to each endpoint.
        var sent: [Endpoint: Int] = [:]
        private let oneWay: Interval
        private var outbox = Outbox()
        private var wire: [Datagram] = []

        init(roundTrip: Interval = .milliseconds(20)) {
            oneWay = roundTrip / 2
            let serverKey = PrivateKey(bytes: [UInt8](repeating: 1, count: 32))
            let clientKey = PrivateKey(bytes: [UInt8](repeating: 2, count: 32))
            client = Engine(
                EngineConfiguration(
                    role: .client, peers: [.init(name: "server", publicKey: serverKey.publicKey)]),
                staticKey: clientKey, seed: [UInt8](repeating: 3, count: 32))
            server = Engine(
                EngineConfiguration(
                    role: .server,
                    peers: [
                        .init(
                            name: "client", publicKey: clientKey.publicKey, addresses: [World.inner(0)])
                    ]),
                staticKey: serverKey, seed: [UInt8](repeating: 4, count: 32))
        }

        func setPath(_ id: UInt16, _ endpoints: [Endpoint]) {
            let links = endpoints.map { Link(socket: id, remote: $0) }
            client.setPath(
                id, role: .primary, link: links.first, others: Array(links.dropFirst()), now: now)
        }

        /// Runs until the session and `paths` of its paths are up; returns the time that took.
        func time(toPaths paths: Int, within limit: Interval) -> Interval? {
            let start = now
            while now - start < limit {
                turn()
                if client.reports(now: now).first?.paths.count(where: { $0.state == .up }) ?? 0 >= paths {
                    return now - start
                }
            }
            return nil
        }

        func run(for time: Interval) {
            let end = now + time
            while now < end { turn() }
        }

        /// The endpoint that a path uses.
        func remote(_ id: UInt16) -> Endpoint? {
            client.reports(now: now).first?.paths.first { $0.id == id }?.link?.remote
        }

        func state(_ id: UInt16) -> PathLiveness.State? {
            client.reports(now: now).first?.paths.first { $0.id == id }?.state
        }

        private func turn() {
            now = now + .milliseconds(1)
            for datagram in wire.filter({ $0.at <= now }) {
                let from = Endpoint(address: IPAddress(v4: 0x0A00_0100 + UInt32(datagram.path)), port: 4000)
                datagram.bytes.withUnsafeBytes { bytes in
                    if datagram.isToServer {
                        server.receive(
                            bytes, from: Link(socket: 0, local: datagram.endpoint.address, remote: from),
                            now: now)
                    } else {
                        client.receive(
                            bytes, from: Link(socket: datagram.path, remote: datagram.endpoint), now: now)
                    }
                }
            }
            wire.removeAll { $0.at <= now }
            let wall = Timestamp(seconds: 1_700_000_000 + now.nanoseconds / 1_000_000_000, nanoseconds: 0)
            while !client.service(into: &outbox, now: now, wall: wall) { pass(isToServer: true) }
            pass(isToServer: true)
            while !server.service(into: &outbox, now: now, wall: wall) { pass(isToServer: false) }
            pass(isToServer: false)
            events += client.takeEvents()
        }

        private func pass(isToServer: Bool) {
            for i in 0..<outbox.count {
                let entry = outbox[i]
                let path =
                    isToServer
                    ? entry.link.socket : UInt16(entry.link.remote.address.low - 0x0A00_0100)
                let endpoint =
                    isToServer
                    ? entry.link.remote
                    : Endpoint(address: entry.link.local ?? entry.link.remote.address, port: 5000)
                if isToServer { sent[endpoint, default: 0] += 1 }
                guard alive.contains(endpoint), !isToServer || !deaf.contains(endpoint) else { continue }
                wire.append(
                    Datagram(
                        at: now + oneWay, isToServer: isToServer, path: path, endpoint: endpoint,
                        bytes: [UInt8](UnsafeRawBufferPointer(outbox.datagram(entry)))))
            }
            outbox.clear()
        }
    }

    private static func endpoint(_ number: UInt32) -> Endpoint {
        Endpoint(address: IPAddress(v4: 0xCB00_7100 + number), port: 5000)
    }

    private let endpoints = (1...4).map { RaceTests.endpoint($0) }

    /// The live endpoint at any position, with one path or two.
    @Test(arguments: 0..<4, [1, 2])
    func theOneThatAnswersIsFoundAtOnce(_ place: Int, _ paths: UInt16) throws {
        let net = Net()
        net.alive = [endpoints[place]]
        for id in 1...paths { net.setPath(id, endpoints) }
        let time = try #require(net.time(toPaths: Int(paths), within: .seconds(10)))
        #expect(time < .milliseconds(Int64(place) * 100 + 600))
        for id in 1...paths { #expect(net.remote(id) == endpoints[place]) }
    }

    /// A round trip longer than all turns: an answer counts even after its turn.
    @Test(arguments: 0..<4)
    func aLateAnswerCounts(_ place: Int) throws {
        let net = Net(roundTrip: .milliseconds(1400))
        net.alive = [endpoints[place]]
        for id in UInt16(1)...2 { net.setPath(id, endpoints) }
        #expect(try #require(net.time(toPaths: 1, within: .seconds(10))) < .milliseconds(2000))
        #expect(try #require(net.time(toPaths: 2, within: .seconds(10))) < .milliseconds(3500))
        net.run(for: .seconds(5))
        for id in UInt16(1)...2 { #expect(net.remote(id) == endpoints[place] && net.state(id) == .up) }
    }

    /// If all answer, the first one is used, and the others get nothing.
    @Test func theFirstIsPreferred() throws {
        let net = Net()
        net.alive = Set(endpoints)
        for id in UInt16(1)...2 { net.setPath(id, endpoints) }
        #expect(net.time(toPaths: 2, within: .seconds(2)) != nil)
        net.run(for: .seconds(1))
        let before = net.sent
        net.run(for: .seconds(5))
        for id in UInt16(1)...2 { #expect(net.remote(id) == endpoints[0]) }
        for other in endpoints.dropFirst() { #expect(net.sent[other] == before[other]) }
    }

    /// A brief outage, a long one, a restart of the server: the path is back at once, and never on a dead
    /// endpoint.
    @Test(arguments: [300, 1200, 20_000])
    func aHiccupMovesNothing(_ milliseconds: Int64) throws {
        let net = Net()
        net.alive = [endpoints[1]]
        net.setPath(1, endpoints)
        #expect(net.time(toPaths: 1, within: .seconds(2)) != nil)
        net.run(for: .seconds(3))
        net.alive = []
        net.run(for: .milliseconds(milliseconds))
        net.alive = [endpoints[1]]
        #expect(try #require(net.time(toPaths: 1, within: .seconds(5))) < .milliseconds(1500))
        #expect(net.remote(1) == endpoints[1])
    }

    /// The endpoint in use dies, and another one takes over: for a single path, and for one next to another.
    @Test(arguments: [1, 2])
    func anotherTakesOver(_ paths: UInt16) throws {
        let net = Net()
        net.alive = [endpoints[0]]
        for id in 1...paths { net.setPath(id, endpoints) }
        #expect(net.time(toPaths: Int(paths), within: .seconds(2)) != nil)
        net.run(for: .seconds(3))
        net.alive = [endpoints[2]]
        // Nothing is in flight, so the paths need a while to notice.
        for _ in 0..<30 where (1...paths).contains(where: { net.state($0) == .up }) {
            net.run(for: .seconds(1))
        }
        #expect(net.time(toPaths: Int(paths), within: .seconds(10)) != nil)
        for id in 1...paths { #expect(net.remote(id) == endpoints[2]) }
    }

    /// Endpoints that become known while the path works change nothing; new ones during an outage are tried.
    @Test func newEndpointsAreTriedWhenNothingElseAnswers() throws {
        let net = Net()
        net.alive = Set(endpoints)
        net.setPath(1, [endpoints[0]])
        #expect(net.time(toPaths: 1, within: .seconds(2)) != nil)
        net.setPath(1, [endpoints[3], endpoints[0]])
        net.run(for: .seconds(2))
        #expect(net.remote(1) == endpoints[0])
        net.alive = [endpoints[3]]
        net.run(for: .seconds(2))
        #expect(net.time(toPaths: 1, within: .seconds(5)) != nil && net.remote(1) == endpoints[3])
    }

    /// Authentic or not, a datagram from an address that is not one of the server's endpoints moves nothing.
    @Test func onlyEndpointsThatAreKnownCount() {
        var race = LinkRace()
        let links = endpoints.map { Link(socket: 1, remote: $0) }
        race.replace(links)
        let answers = [
            Link(socket: 1, remote: Self.endpoint(99)), Link(socket: 2, remote: endpoints[2]),
            Link(socket: 1, local: endpoints[0].address, remote: endpoints[2]),
        ].map { race.answered(by: $0) }
        #expect(answers == [false, false, true])
        #expect(race.links == [links[2], links[0], links[1], links[3]])
        // It is remembered while the path has no link at all, and tried every other time.
        race.replace([])
        #expect(race.first == nil)
        race.replace(links)
        #expect(race.first == links[2])
        let turns = (0..<6).compactMap { _ in race.next() }
        #expect(turns == [2, 0, 2, 1, 2, 3].map { links[$0] })
        race.replace((0..<40).map { Link(socket: 1, remote: Self.endpoint(100 + $0)) })
        #expect(race.links.count == LinkRace.mostLinks)
    }

    /// The endpoint in use no longer receives from the path, while its datagrams still arrive: a reply from
    /// there must not keep the path from moving to the endpoint that works both ways.
    @Test(arguments: [1, 2] as [UInt16]) func anEndpointThatHasGoneDeafIsLeft(paths: UInt16) throws {
        let net = Net()
        net.alive = [endpoints[0]]
        for id in 1...paths { net.setPath(id, Array(endpoints[..<2])) }
        _ = try #require(net.time(toPaths: Int(paths), within: .seconds(5)))
        #expect(net.remote(1) == endpoints[0])
        net.alive = [endpoints[0], endpoints[1]]
        net.deaf = [endpoints[0]]
        net.run(for: .seconds(2))
        _ = try #require(net.time(toPaths: Int(paths), within: .seconds(5)))
        for id in 1...paths { #expect(net.remote(id) == endpoints[1]) }
    }
}
