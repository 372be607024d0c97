import ArgumentParser
import Glibc
import Hostile
import Lab
import Packet
import Proto

/// `bondlab hostile`: a client that lies, against a real server, for testing your own server.
struct HostileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hostile",
        abstract: "Connect to a bondd server as a client that lies, to test its robustness.",
        discussion: """
            It connects with the given client key and lies in one way, at the rate given by --mbit. The last line \
            of its output is JSON: the bytes sent and received, and the number of sessions.
            """)

    @Option(help: "Address and port of the server, once for each link.")
    var server: [String]

    @Option(help: "The server's public key in base64.")
    var serverKey: String

    @Option(help: "The file of its own private key.")
    var keyFile: String

    @Option(
        help: ArgumentHelp(
            "The lie: \(Lie.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "lie"))
    var lie: String

    @Option(help: "The seed of all random choices.")
    var seed: UInt64 = 1

    @Option(help: "Mbit/s of datagrams that the lie may send.")
    var mbit = 4.0

    @Option(help: "Duration in seconds.")
    var seconds = 10.0

    @Flag(help: "Do not have the server send test packets, which the lie would acknowledge or ignore.")
    var noDownload = false

    func run() throws {
        guard let lie = Lie(rawValue: lie) else {
            throw ValidationError("--lie: '\(lie)' is not a known lie.")
        }
        guard let serverKey = PublicKey(base64: serverKey) else {
            throw ValidationError("--server-key is not a public key.")
        }
        guard let key = PrivateKey(base64: String(try Self.read(keyFile).prefix { $0 != "\n" })) else {
            throw ValidationError("--key-file: \(keyFile) does not hold a private key.")
        }
        var links: [HostileLink] = []
        for text in server {
            guard let endpoint = Endpoint(text) else {
                throw ValidationError("--server: '\(text)' is not an address and port.")
            }
            links.append(try HostileLink(to: endpoint))
        }
        let identity = HostilePeer.Identity(
            server: serverKey, address: IPAddress(v4: 0x0A4D_0002), destination: IPAddress(v4: 0x0A4D_0001))
        let peer = HostilePeer(
            identity, staticKey: key, lie: lie, seed: seed, megabits: mbit, links: links.count,
            asksForDownload: !noDownload)
        let interrupt = try Interrupt()
        let end = Clock.monotonic + seconds
        while Clock.monotonic < end {
            step(peer, links)
            if interrupt.comes(within: 0.001) { break }
        }
        print(peer.counters.json)
    }

    private func step(_ peer: HostilePeer, _ links: [HostileLink]) {
        let now = Instant(nanoseconds: UInt64(Clock.monotonic * 1e9))
        for (index, link) in links.enumerated() { link.receive { peer.receive($0, on: index, now: now) } }
        let wall = Clock.wall
        peer.turn(
            now: now,
            wall: Timestamp(
                seconds: UInt64(wall), nanoseconds: UInt32((wall - wall.rounded(.down)) * 999_999_999)))
        for datagram in peer.takeOutgoing() {
            links[datagram.link].send(datagram.bytes, from: datagram.source)
        }
    }

    private static func read(_ file: String) throws -> String {
        guard let stream = fopen(file, "re") else {
            throw ValidationError("--key-file: cannot read \(file).")
        }
        defer { fclose(stream) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = fread(&buffer, 1, buffer.count, stream)
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}

extension HostilePeer.Counters {
    /// The counters as one line of JSON.
    fileprivate var json: String {
        """
        {"sent": \(sentBytes), "control": \(controlBytes), "received": \(receivedBytes), "sessions": \(sessions), \
        "closes": \(closes), "silent": \(silentBytes), "late_silent": \(lateSilentBytes)}
        """
    }
}
