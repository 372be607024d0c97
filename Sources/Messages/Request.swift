/// What a program asks of a running bondd: one line of JSON, such as `{"do":"set","key":"mode","value":"stripe"}`.
public enum Request: Hashable, Sendable, Codable {
    /// How the tunnel is doing.
    case status
    /// Changes `key` (`mode`, `redundant_paths`, `path.NAME.role`, `path.NAME.cap`, `path.NAME.data_cap`) until the daemon ends or reloads.
    case set(key: String, value: String)
    /// Reads the configuration again.
    case reload

    private enum CodingKeys: String, CodingKey {
        case action = "do"
        case key, value
    }

    /// Reads a request; unknown actions are a `DecodingError`, unknown keys are skipped.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let action = try fields.decode(String.self, forKey: .action)
        switch action {
        case "status": self = .status
        case "set":
            self = .set(
                key: try fields.decode(String.self, forKey: .key),
                value: try fields.decode(String.self, forKey: .value))
        case "reload": self = .reload
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .action, in: fields, debugDescription: "unknown action \(action)")
        }
    }

    /// Writes the request as one flat object.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .status: try fields.encode("status", forKey: .action)
        case .set(let key, let value):
            try fields.encode("set", forKey: .action)
            try fields.encode(key, forKey: .key)
            try fields.encode(value, forKey: .value)
        case .reload: try fields.encode("reload", forKey: .action)
        }
    }
}
