import Foundation
import Lab
import Testing

/// A service on a host, and visits to it from others: the programs in the folder Visits.
enum Visit {
    /// The result of a visit.
    struct Outcome: Decodable {
        /// Bytes, or lines that came back.
        let count: Int
        /// The longest silence, in ms.
        let longest: Double
        /// Whether the bytes are correct.
        let right: Bool?

        private enum CodingKeys: String, CodingKey {
            case count, right
            case longest = "longest_ms"
        }
    }

    /// A caller seen by a service: the address that the connection came from, and the one in the PROXY header.
    struct Caller: Decodable, Equatable {
        let peer: String
        let caller: String?
    }

    private static func program(_ name: String) -> [String] {
        [
            "python3", "-B",
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
                "Visits/\(name)"
            )
            .path,
        ]
    }

    /// Starts a service.
    static func host(_ namespace: Namespace, port: Int, proxy: Bool = false) throws -> Child {
        let child = try namespace.spawn(program("host.py") + ["\(port)"] + (proxy ? ["proxy"] : []))
        try wait(seconds: 10, "a service on port \(port)") { namespace.isListening(port: UInt16(port)) }
        return child
    }

    /// Starts fetching that many bytes.
    static func get(_ bytes: Int, from namespace: Namespace, _ address: String, _ port: Int) throws -> Child {
        try namespace.spawn(program("visit.py") + [address, "\(port)", "get", "\(bytes)"])
    }

    /// Starts exchanging lines for that many seconds.
    static func echo(_ seconds: Int, from namespace: Namespace, _ address: String, _ port: Int) throws
        -> Child
    {
        try namespace.spawn(program("visit.py") + [address, "\(port)", "echo", "\(seconds)"])
    }

    /// The result of a visit.
    static func outcome(_ child: Child, seconds: Double = 60) throws -> Outcome {
        try child.wait(seconds: seconds)
        try #require(child.status == .exited(0), "\(child.output) \(child.errors)")
        return try JSONDecoder().decode(Outcome.self, from: Data(child.output.utf8))
    }

    /// The callers seen by a service so far.
    static func callers(_ host: Child) throws -> [Caller] {
        try host.output.split(separator: "\n").map {
            try JSONDecoder().decode(Caller.self, from: Data($0.utf8))
        }
    }
}
