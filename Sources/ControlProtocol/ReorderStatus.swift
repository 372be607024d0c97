/// The reorder buffer in a `SessionStatus`.
public struct ReorderStatus: Hashable, Sendable, Codable {
    /// Packets currently waiting for a predecessor.
    public var held: Int
    /// Packets that arrived after their deadline, since the session began.
    public var late: UInt64
    /// Duplicates discarded, since the session began.
    public var duplicates: UInt64
    /// Lost packets recovered from repair symbols, since the session began.
    public var recovered: UInt64
    /// Maximum time a packet is held, in milliseconds.
    public var deadline: Double

    private enum CodingKeys: String, CodingKey {
        case held, late, duplicates, recovered
        case deadline = "deadline_ms"
    }

    /// Decodes a reorder buffer's status; earlier versions of bondd omit `recovered`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        held = try container.decode(Int.self, forKey: .held)
        late = try container.decode(UInt64.self, forKey: .late)
        duplicates = try container.decode(UInt64.self, forKey: .duplicates)
        recovered = try container.decodeIfPresent(UInt64.self, forKey: .recovered) ?? 0
        deadline = try container.decode(Double.self, forKey: .deadline)
    }

    /// A reorder buffer's status.
    public init(
        held: Int = 0, late: UInt64 = 0, duplicates: UInt64 = 0, recovered: UInt64 = 0, deadline: Double = 0
    ) {
        self.held = held
        self.late = late
        self.duplicates = duplicates
        self.recovered = recovered
        self.deadline = deadline
    }
}
