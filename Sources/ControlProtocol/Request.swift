import Proto

/// A request to a running bondd: one line of JSON, such as `{"do":"set","key":"mode","value":"stripe"}`.
package enum Request: Hashable, Sendable, Codable {
    /// Returns the tunnel's status.
    case status
    /// Changes `key` (`mode`, `redundant_paths`, `path.NAME.role`, `path.NAME.cap`, `path.NAME.data_cap`, `path.NAME.data_used`) until the daemon ends or reloads.
    case set(key: String, value: String)
    /// Reads the configuration again.
    case reload
    /// Lifts the kill switch until the configuration is read again.
    case unlock
    /// Sends half a second of test traffic over `path`, or over all of them, to the server or from it, and
    /// returns the counters. Without a direction it only returns the counters.
    case bench(path: String?, towardsServer: Bool?)
    /// Returns the traffic of each client's paths.
    case usage
    /// Replaces the clients and invitations handed over before. Only for bondd-control.
    case handOver(Handover)
    /// Returns as soon as there is an enrolment, or with none after 20 s. Only for bondd-control.
    case awaitEnrolments
    /// Reports the outcome of the enrolment with that `id`.
    case settle(id: Int, outcome: EnrolOutcome)
    /// Replaces the rules that the kernel carries. Only for bondd-control.
    case carry([HandedService])
    /// Returns the traffic that the kernel has carried for them.
    case services
    /// Revokes a client's access until bondd-control has done so in its state: for when bondd-control is not
    /// running.
    case revoke(name: String)
    /// Returns `ok`, to check that the daemon's loop is running.
    case ping

    private enum CodingKeys: String, CodingKey {
        case action = "do"
        case key, value, path, up, handover, id, outcome, services, name
    }

    /// Decodes a request; unknown actions throw a `DecodingError`, unknown keys are skipped.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let action = try fields.decode(String.self, forKey: .action)
        switch action {
        case "status": self = .status
        case "set":
            self = .set(
                key: try fields.decode(String.self, forKey: .key),
                value: try fields.decode(String.self, forKey: .value))
        case "reload": self = .reload
        case "unlock": self = .unlock
        case "bench":
            self = .bench(
                path: try fields.decodeIfPresent(String.self, forKey: .path),
                towardsServer: try fields.decodeIfPresent(Bool.self, forKey: .up))
        case "usage": self = .usage
        case "hand_over": self = .handOver(try fields.decode(Handover.self, forKey: .handover))
        case "await_enrolments": self = .awaitEnrolments
        case "settle":
            let word = try fields.decode(String.self, forKey: .outcome)
            guard let outcome = EnrolOutcome(word: word) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .outcome, in: fields, debugDescription: "unknown outcome \(word)")
            }
            self = .settle(id: try fields.decode(Int.self, forKey: .id), outcome: outcome)
        case "carry": self = .carry(try fields.decode([HandedService].self, forKey: .services))
        case "services": self = .services
        case "revoke": self = .revoke(name: try fields.decode(String.self, forKey: .name))
        case "ping": self = .ping
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .action, in: fields, debugDescription: "unknown action \(action)")
        }
    }

    /// Encodes the request as one flat object.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .status: try fields.encode("status", forKey: .action)
        case .set(let key, let value):
            try fields.encode("set", forKey: .action)
            try fields.encode(key, forKey: .key)
            try fields.encode(value, forKey: .value)
        case .reload: try fields.encode("reload", forKey: .action)
        case .unlock: try fields.encode("unlock", forKey: .action)
        case .bench(let path, let towardsServer):
            try fields.encode("bench", forKey: .action)
            try fields.encodeIfPresent(path, forKey: .path)
            try fields.encodeIfPresent(towardsServer, forKey: .up)
        case .usage: try fields.encode("usage", forKey: .action)
        case .handOver(let handover):
            try fields.encode("hand_over", forKey: .action)
            try fields.encode(handover, forKey: .handover)
        case .awaitEnrolments: try fields.encode("await_enrolments", forKey: .action)
        case .settle(let id, let outcome):
            try fields.encode("settle", forKey: .action)
            try fields.encode(id, forKey: .id)
            try fields.encode(outcome.word, forKey: .outcome)
        case .carry(let services):
            try fields.encode("carry", forKey: .action)
            try fields.encode(services, forKey: .services)
        case .services: try fields.encode("services", forKey: .action)
        case .revoke(let name):
            try fields.encode("revoke", forKey: .action)
            try fields.encode(name, forKey: .name)
        case .ping: try fields.encode("ping", forKey: .action)
        }
    }
}
