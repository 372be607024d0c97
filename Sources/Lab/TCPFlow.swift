import FoundationEssentials
import Glibc

/// A run of `iperf3` over TCP, as measured by its receiver.
public struct TCPFlow: Equatable, Sendable {
    /// Mbit/s of payload over the whole run.
    public var megabits: Double
    /// Mbit/s of payload in each interval.
    public var series: [Double]
    /// Segments retransmitted by the sender.
    public var retransmissions: Int

    /// The parameters of a run.
    public struct Plan: Sendable {
        /// The server's listening address.
        public var address: String
        /// How long, in seconds.
        public var seconds: Int
        /// Seconds of slow start to leave out at the beginning.
        public var omit = 0
        /// The congestion control; nil means the kernel's default.
        public var congestion: String?
        /// Whether the server sends.
        public var reverse = false
        /// How many connections share the run.
        public var streams = 1
        /// Length of the intervals of `series` in seconds.
        public var interval = 1.0
        /// The server's TCP port.
        public var port: UInt16 = 5201
        /// The interface that the client is bound to; nil for none.
        public var interface: String?
        /// Whether both ends use Multipath TCP (RFC 8684), through `mptcpize`.
        public var isMultipath = false

        /// One connection to `address` for `seconds`.
        public init(to address: String, seconds: Int) {
            self.address = address
            self.seconds = seconds
        }
    }

    /// A flow in progress.
    public struct Running: Sendable {
        let client: Child
        let server: Child
        let plan: Plan

        /// Waits for the end. Throws `deadline`, `failed` or `unreadable`.
        public func finish() throws(LabError) -> TCPFlow {
            let status = try client.wait(seconds: Double(plan.seconds + plan.omit) + 15)
            guard status.isSuccess else {
                throw .failed(command: client.command, status: status, errors: report(client))
            }
            let serverStatus = try server.wait(seconds: 5)
            guard serverStatus.isSuccess else {
                throw .failed(command: server.command, status: serverStatus, errors: report(server))
            }
            let (sender, receiver) = plan.reverse ? (server, client) : (client, server)
            let sent = try Report(sender.output)
            let received = try Report(receiver.output)
            return TCPFlow(
                megabits: received.end.sum_received.bits_per_second / 1e6,
                series: received.intervals.filter { $0.sum.omitted != true }.map {
                    $0.sum.bits_per_second / 1e6
                },
                retransmissions: sent.end.sum_sent.retransmits ?? 0)
        }

        /// iperf3's output: with -J, it writes its errors into the JSON.
        private func report(_ child: Child) -> String {
            child.errors.isEmpty ? String(child.output.suffix(300)) : child.errors
        }
    }

    /// Runs a flow to completion. Throws `deadline`, `failed`, `missingProgram` or `unreadable`.
    public static func run(
        from client: Namespace, to server: Namespace, _ plan: Plan
    ) throws(LabError) -> TCPFlow {
        try start(from: client, to: server, plan).finish()
    }

    /// Starts a flow.
    public static func start(
        from client: Namespace, to server: Namespace, _ plan: Plan
    ) throws(LabError) -> Running {
        let port = "\(plan.port)"
        let interval = "\(plan.interval)"
        let program = plan.isMultipath ? ["mptcpize", "run", "iperf3"] : ["iperf3"]
        let listener = try server.spawn(program + ["-s", "-1", "-J", "-p", port, "-i", interval])
        try wait(for: listener, server, plan.port)
        var command = program + ["-c", plan.address, "-J", "-p", port, "-i", interval]
        command += ["-t", "\(plan.seconds)", "-P", "\(plan.streams)", "--connect-timeout", "5000"]
        if plan.omit > 0 { command += ["-O", "\(plan.omit)"] }
        if plan.reverse { command += ["-R"] }
        if let congestion = plan.congestion { command += ["-C", congestion] }
        if let interface = plan.interface { command += ["--bind-dev", interface] }
        return Running(client: try client.spawn(command), server: listener, plan: plan)
    }

    /// Waits until iperf3 listens.
    static func wait(for listener: Child, _ server: Namespace, _ port: UInt16) throws(LabError) {
        for _ in 0..<500 {
            if server.isListening(port: port) { return }
            if let status = listener.status {
                throw .failed(command: listener.command, status: status, errors: listener.output)
            }
            usleep(10_000)
        }
        throw .deadline(waitingFor: "iperf3 to listen", seconds: 5)
    }

    /// The part of iperf3's JSON that is used here, with iperf3's names.
    private struct Report: Decodable {
        struct Sum: Decodable {
            var bits_per_second: Double
            var retransmits: Int?
            var omitted: Bool?
        }
        struct Interval: Decodable { var sum: Sum }
        struct End: Decodable {
            var sum_sent: Sum
            var sum_received: Sum
        }
        var intervals: [Interval]
        var end: End

        init(_ text: String) throws(LabError) {
            guard let report = try? JSONDecoder().decode(Report.self, from: Data(text.utf8)) else {
                throw .unreadable(program: "iperf3", output: text)
            }
            self = report
        }
    }
}
