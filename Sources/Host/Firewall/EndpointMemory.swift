import Packet
import Runtime
import Settings

/// The addresses that the server's names last had: with the kill switch on, no name can be looked up before the tunnel is
/// there. A small text file, replaced as a whole, a line a name.
public struct EndpointMemory: Sendable {
    private static let maximumSize = 1 << 16
    /// Addresses that are kept of a name, so that one with ever new ones does not fill the firewall.
    private static let mostAddresses = 16

    /// Where it is.
    public let path: String
    private var names: [HostPort: [Endpoint]] = [:]

    /// Reads what an earlier run left; what can't be read is not there.
    public init(directory: String, interface: String) {
        path = "\(directory)/\(interface).endpoints"
        guard let text = try? TextFile.read(path, limit: Self.maximumSize) else { return }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard let name = words.first.flatMap(HostPort.init) else { continue }
            let endpoints = words.dropFirst().compactMap { Endpoint($0) }.filter { $0.port == name.port }
            names[name] = Array(endpoints.prefix(Self.mostAddresses))
        }
    }

    /// The endpoints that a name last had; an address has itself.
    public func endpoints(of name: HostPort) -> [Endpoint] {
        name.endpoint.map { [$0] } ?? names[name] ?? []
    }

    /// Remembers what a name has now, and returns when that is on the disk. Earlier addresses are kept as long as there is
    /// room, as paths may be using them.
    /// - Returns: whether there was news.
    /// - Throws: `HostError.file`; it is remembered for this run all the same.
    public mutating func learn(_ endpoints: [Endpoint], of name: HostPort) throws(HostError) -> Bool {
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
