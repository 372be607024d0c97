import Commands
import Daemon
import Glibc
import Host
import Packet
import Runtime
import Settings

extension Resolver {
    /// Addresses of all these servers that resolve within the time limit.
    /// - Throws: `Failure` with the reason if there are none.
    func resolveAll(_ names: [HostPort], seconds: Int32) throws -> [Endpoint] {
        for name in names { resolve(name) }
        var found: [HostPort: [Endpoint]] = [:]
        var problem = "the server's name could not be resolved within \(seconds) s; check this host's DNS"
        let end = Instant.now + .seconds(Int64(seconds))
        while found.count < Set(names).count, Instant.now < end {
            var watched = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
            _ = poll(&watched, 1, 100)
            for resolution in take() {
                found[resolution.name] = resolution.endpoints
                if let sentence = resolution.problem { problem = sentence }
            }
        }
        let endpoints = names.flatMap { found[$0] ?? [] }
        guard !endpoints.isEmpty else { throw Failure(problem) }
        return endpoints
    }
}
