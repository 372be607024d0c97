import FoundationEssentials

/// A run of `iperf3` over UDP, as measured by its receiver.
public struct UDPFlow: Equatable, Sendable {
    /// Mbit/s of payload that arrived.
    public var megabits: Double
    /// Datagrams that were sent.
    public var sent: Int
    /// Datagrams that did not arrive.
    public var lost: Int
    /// Datagrams that arrived after a later one.
    public var outOfOrder: Int
    /// The variation of their transit time in ms (RFC 3550).
    public var jitter: Double

    /// The fraction of datagrams lost.
    public var loss: Double { sent == 0 ? 0 : Double(lost) / Double(sent) }

    /// Sends datagrams of `size` bytes at `megabits` Mbit/s for `seconds`.
    /// Throws `deadline`, `failed`, `missingProgram` or `unreadable`.
    public static func run(
        from client: Namespace, to server: Namespace, address: String, megabits: Double, seconds: Int,
        size: Int = 1300, reverse: Bool = false, port: UInt16 = 5201
    ) throws(LabError) -> UDPFlow {
        try start(
            from: client, to: server, address: address, megabits: megabits, seconds: seconds, size: size,
            reverse: reverse, port: port
        ).finish()
    }

    /// A flow that is running.
    public struct Running: Sendable {
        fileprivate let listener: Child
        fileprivate let sender: Child
        fileprivate let seconds: Int
        fileprivate let size: Int
        fileprivate let isReverse: Bool
    }

    /// Starts what `run` runs to completion. Throws like it.
    /// - Parameter prefix: a command that starts iperf3, whose own command follows it.
    public static func start(
        from client: Namespace, to server: Namespace, address: String, megabits: Double, seconds: Int,
        size: Int = 1300, reverse: Bool = false, port: UInt16 = 5201, by prefix: [String] = []
    ) throws(LabError) -> Running {
        let listener = try server.spawn(["iperf3", "-s", "-1", "-J", "-p", "\(port)"])
        try TCPFlow.wait(for: listener, server, port)
        var command = prefix + ["iperf3", "-c", address, "-J", "-u", "-p", "\(port)", "-t", "\(seconds)"]
        command += ["-b", "\(megabits)M", "-l", "\(size)", "--connect-timeout", "5000"]
        // Drops in the kernel's own buffer are not the tunnel's losses; 64-bit counters number the datagrams.
        command += ["-w", "4M", "--udp-counters-64bit"]
        if reverse { command += ["-R"] }
        return Running(
            listener: listener, sender: try client.spawn(command), seconds: seconds, size: size,
            isReverse: reverse)
    }

    /// The part of iperf3's JSON that is used here, with iperf3's names.
    fileprivate struct Report: Decodable {
        struct UDP: Decodable {
            var packets: Int
            var lost_packets: Int
            var out_of_order: Int
            var jitter_ms: Double
        }
        struct Stream: Decodable { var udp: UDP }
        struct End: Decodable { var streams: [Stream] }
        var end: End
    }
}

extension UDPFlow.Running {
    /// Waits for the end of the flow. Throws `deadline`, `failed` or `unreadable`.
    public func finish() throws(LabError) -> UDPFlow {
        let status = try sender.wait(seconds: Double(seconds) + 15)
        guard status.isSuccess else {
            throw .failed(command: sender.command, status: status, errors: String(sender.output.suffix(300)))
        }
        _ = try listener.wait(seconds: 5)
        let receiver = isReverse ? sender : listener
        guard let report = try? JSONDecoder().decode(UDPFlow.Report.self, from: Data(receiver.output.utf8)),
            let stream = report.end.streams.first
        else { throw .unreadable(program: "iperf3 -u", output: receiver.output) }
        let udp = stream.udp
        return UDPFlow(
            megabits: Double((udp.packets - udp.lost_packets) * size * 8) / Double(seconds) / 1e6,
            sent: udp.packets, lost: udp.lost_packets,
            outOfOrder: udp.out_of_order, jitter: udp.jitter_ms)
    }
}
