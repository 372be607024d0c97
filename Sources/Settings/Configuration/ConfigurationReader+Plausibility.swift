import Glibc
import Packet
import Proto

// Checks on well-formed settings that cannot work.
extension ConfigurationReader {
    /// - Throws: `ConfigurationError` when a `public_key` of the other end is this host's own.
    func refuseOwnKey(_ tunnel: Configuration.Tunnel) throws(ConfigurationError) {
        guard !tunnel.privateKey.key.isEmpty else { return }
        let own = PrivateKey(bytes: tunnel.privateKey.key).publicKey.base64
        var places: [(label: String, table: TOMLValue, sentence: String)] = []
        if let server = root["server"] {
            places.append(
                (
                    "[server]", server,
                    "is this client's own key; name the server's, which bondd pubkey < server.key prints there"
                ))
        }
        if case .array(let clients)? = root["client"]?.content {
            places += clients.map {
                (
                    "[[client]]", $0,
                    "is this server's own key; name the client's, which bondd pubkey < client.key prints there"
                )
            }
        }
        for (label, table, sentence) in places {
            guard case .table(let values) = table.content,
                let value = values.first(where: { $0.key == "public_key" })?.value,
                case .string(own) = value.content
            else { continue }
            throw ConfigurationError(
                file: file, line: value.line, problem: "\(label) public_key = \(value.shown) \(sentence)")
        }
    }

    /// Notices about settings that may surprise the operator of a server.
    func notices(_ server: Configuration.Server) -> [String] {
        server.rules.filter { $0.transport == .tcp && $0.ports.contains(22) }.map {
            "[[rule]] \"\($0.id)\" takes TCP port 22 of this server, by which SSH reaches it; move SSH to another port first, or use another listen_port"
        }
    }

    /// A notice if the token file is missing: bondd runs without it, bondd-control does not start.
    var missingToken: [String] {
        guard keys == .read, case .table(let health)? = root["health"]?.content,
            case .string(let file)? = health.first(where: { $0.key == "token_file" })?.value.content,
            access(relative(file), F_OK) != 0, errno == ENOENT
        else { return [] }
        return [
            "[health] token_file \(relative(file)) does not exist, so bondd-control does not start; make one with: (umask 027; head -c 24 /dev/urandom | base64 > \(relative(file)))"
        ]
    }
}

extension CIDR {
    /// Why no host can have this address in its network; nil if one can. Networks of one or two addresses have
    /// neither a network address nor a broadcast address (RFC 3021, RFC 6164).
    var hostProblem: String? {
        let bits = address.byteCount * 8
        guard length > 0, length < bits - 1 else { return nil }
        if network.address == address { return "is the network itself" }
        guard address.family == .v4 else { return nil }
        let broadcast = UInt32(truncatingIfNeeded: network.address.low) | UInt32.max >> UInt32(length)
        guard UInt32(truncatingIfNeeded: address.low) == broadcast else { return nil }
        return "is the network's broadcast address"
    }

    /// The first usable host address of the network.
    var firstHost: CIDR {
        let address = network.address
        let next =
            address.family == .v4
            ? IPAddress(v4: UInt32(truncatingIfNeeded: address.low) + 1)
            : IPAddress(v6High: address.high, low: address.low + 1)
        return CIDR(next, length: length)!
    }
}
