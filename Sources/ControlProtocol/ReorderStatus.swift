/// The reorder buffer's part of a `SessionStatus`.
public struct ReorderStatus: Hashable, Sendable, Codable {
    /// Packets that wait for a predecessor now.
    public var held: Int
    /// Packets that came after their deadline, since the session began.
    public var late: UInt64
    /// Copies that were dropped, since the session began.
    public var duplicates: UInt64
    /// Packets that were lost and put together from repair symbols, since the session began.
    public var recovered: UInt64
    /// How long a packet is held at the most, in milliseconds.
    public var deadline: Double

    private enum CodingKeys: String, CodingKey {
        case held, late, duplicates, recovered
        case deadline = "deadline_ms"
    }

    /// Reads what a bondd says; one of an earlier version says nothing of `recovered`.
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
