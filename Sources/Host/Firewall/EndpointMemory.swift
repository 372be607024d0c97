import Packet
import Runtime
import Settings

/// The last known addresses of the server's names: with the kill switch on, names cannot be resolved before the
/// tunnel is up. A small text file with a line for each name, replaced as a whole.
package struct EndpointMemory: Sendable {
    private static let maximumSize = 1 << 16
    /// Maximum number of addresses kept for a name, so that one whose addresses keep changing does not fill the
    /// firewall.
    private static let mostAddresses = 16

    /// The file's path.
    package let path: String
    private var names: [HostPort: [Endpoint]] = [:]

    /// Reads the file of an earlier run; an unreadable one counts as empty.
    package init(directory: String, interface: String) {
        path = "\(directory)/\(interface).endpoints"
        guard let text = try? TextFile.read(path, limit: Self.maximumSize) else { return }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard let name = words.first.flatMap(HostPort.init) else { continue }
            let endpoints = words.dropFirst().compactMap { Endpoint($0) }.filter { $0.port == name.port }
            names[name] = Array(endpoints.prefix(Self.mostAddresses))
        }
    }

    /// The last known endpoints of a name; for an address, the address itself.
    package func endpoints(of name: HostPort) -> [Endpoint] {
        name.endpoint.map { [$0] } ?? names[name] ?? []
    }

    /// Records the current endpoints of a name, and returns once they are on disk. Earlier addresses are kept
    /// while there is room, as paths may still use them.
    /// - Returns: whether anything changed.
    /// - Throws: `HostError.file`; the endpoints are still remembered for this run.
    package mutating func learn(_ endpoints: [Endpoint], of name: HostPort) throws(HostError) -> Bool {
        guard name.endpoint == nil, !endpoints.isEmpty else { return false }
        let old = names[name] ?? []
        let all = Array((endpoints + old.filter { !endpoints.contains($0) }).prefix(Self.mostAddresses))
        guard all != old else { return false }
        names[name] = all
        let lines = names.map { name, endpoints in
            ([name.description] + endpoints.map(\.description)).joined(separator: " ")
        }
        let text = lines.sorted().joined(separator: "\n") + "\n"
        do throws(RuntimeError) {
            try StateFile.replace(path, with: Array(text.utf8), mode: 0o644)
        } catch {
            throw .file("remember the server's addresses in", path: path, errno: error.code)
        }
        return true
    }
}
