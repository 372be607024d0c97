import ControlProtocol
import Glibc
import Packet
import Proto
import Settings
import TestSupport
import Testing

@testable import Control

/// A server's configuration and keys for tests.
enum Samples {
    static let server = PublicKey(bytes: Array(repeating: 1, count: 32))
    static let now = 1_800_000_000

    /// A client's public key of that number, in base64.
    static func key(_ number: Int) -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        for i in 0..<8 { bytes[i] = UInt8(truncatingIfNeeded: number >> (8 * i)) }
        bytes[31] = 9
        return Base64.encode(bytes)
    }

    /// - Parameter extra: further text of the file, such as a `[[client]]`.
    static func text(_ networks: [String] = ["10.77.0.1/24", "fd77::1/64"], extra: String = "") -> String {
        """
        [tunnel]
        role = "server"
        address = [\(networks.map { "\"\($0)\"" }.joined(separator: ", "))]
        private_key_file = "key"
        [listen]
        addresses = ["0.0.0.0:5000"]
        \(extra)
        """
    }

    static func client(_ name: String, _ number: Int, _ address: String) -> String {
        """
        [[client]]
        name = "\(name)"
        public_key = "\(key(number))"
        address = ["\(address)"]

        """
    }

    static func plan(_ networks: [String] = ["10.77.0.1/24", "fd77::1/64"], extra: String = "") throws -> Plan
    {
        let configuration = try Configuration(
            text: text(networks, extra: extra), file: "bondd.toml", keys: .leave)
        guard case .server(let server) = configuration.role else { fatalError("no server") }
        return Plan(file: "bondd.toml", tunnel: configuration.tunnel, server: server)
    }
}

extension Store {
    /// An invitation's number and keys, for tests that enrol with it.
    @discardableResult
    func invite(
        _ name: String, uses: Int = 1, lifetime: Int = 86400, mode: String? = nil, plan: Plan,
        now: Int = Samples.now
    ) throws -> Int {
        _ = try invite(
            InvitationOrder(name: name, lifetime: lifetime, uses: uses, mode: mode), plan: plan,
            server: Samples.server, endpoints: [HostPort("203.0.113.7:5000")!], now: now)
        return try handover(plan: plan).invitations.last!.id
    }

    func enrol(_ invitation: Int, _ client: Int, plan: Plan, now: Int = Samples.now) throws
        -> EnrolOutcome
    {
        try enrol(
            Enrolment(id: 1, invitation: invitation, publicKey: Samples.key(client), host: "host"),
            plan: plan,
            now: now)
    }
}
