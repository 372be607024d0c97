import ControlProtocol
import Foundation
import Glibc
import Lab
import Testing

/// A server and a client set up by two commands, and a control plane on the internet.
final class ServicePlaneWorld {
    let household: Household
    let client: Household.Host
    let plane: ControlPlaneServer
    private(set) var hosts: [Child] = []

    var server: Household.Host { household.server }
    /// The server's address for users.
    var address: String { household.ways[0].seen }
    var address6: String { household.ways[1].seen }

    init() throws {
        household = try Household()
        client = try household.client("boat")
        plane = try ControlPlaneServer(
            in: household.internet, address: household.wan.addresses.ipv4(.server))
        try household.join(client, try household.makeServer())
    }

    func close() {
        plane.close()
        household.close()
    }

    /// A service on the client's host.
    func host(port: Int, proxy: Bool = false) throws -> Child {
        let host = try Visit.host(client.namespace, port: port, proxy: proxy)
        hosts.append(host)
        return host
    }

    /// The output of `bondd services`.
    func services() throws -> (rules: [ServiceStatus], plane: PlaneStatus) {
        let path = ControlServicePath.asked(of: server.socket)
        guard case .services(let rules, let plane) = try ControlClient.ask(.services, path: path)
        else {
            throw Failure()
        }
        return (rules, plane)
    }
    struct Failure: Error {}

    func waitFor(plane state: String, seconds: Double = 20) throws {
        try wait(seconds: seconds, "the control plane, \(state)") {
            try services().plane.state == state
        }
    }

    /// Waits until rules are carried in these ways, by number or name.
    func waitFor(ways: [String: String], seconds: Double = 10) throws {
        try wait(seconds: seconds, "\(ways)") {
            let now = try services().rules.filter { $0.state == "active" }
            return Dictionary(uniqueKeysWithValues: now.map { ($0.rule, $0.way) }) == ways
        }
    }

    /// Enrols the server with the control plane, as a user does.
    func enrol(token: String = "token") throws {
        let uri = try plane.enrolmentURI(token: token)
        let child = try server.command(["portunus", "enroll", uri])
        try #require(child.status == .exited(0), "\(child.output) \(child.errors)")
        try waitFor(plane: "connected")
    }

    /// Visits a port of the server from the internet.
    func get(_ bytes: Int, port: Int, over address: String? = nil) throws -> Visit.Outcome {
        let child = try Visit.get(bytes, from: household.internet, address ?? self.address, port)
        return try Visit.outcome(child)
    }

    /// Whether a visit fails.
    func isClosed(port: Int) throws -> Bool {
        let child = try Visit.get(1, from: household.internet, address, port)
        try child.wait(seconds: 15)
        return child.status != .exited(0)
    }

    /// Runs `body` in such a world; does nothing if no control plane can be run.
    static func run(_ body: (ServicePlaneWorld) throws -> Void) throws {
        guard ControlPlaneServer.python != nil else {
            print(
                "skipped: services under a control plane, as there is no python3 with grpcio (scripts/fetch-grpcio)"
            )
            return
        }
        let world = try ServicePlaneWorld()
        defer { world.close() }
        try body(world)
    }
}
