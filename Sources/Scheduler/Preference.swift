import Packet

/// `preferred`: the path that carries all that it can.
///
/// Another takes its place when it has been better by 15 % for 3 s, so that two paths that are alike don't take turns, and a
/// bad moment is no reason to leave; at once when the present one can't be used.
public struct Preference: ~Copyable {
    /// What another path's score must be below, as a share of the present one's.
    static let margin = 0.85
    /// For how long it must be.
    static let hold = Interval.seconds(3)

    /// The present path's index; nil before there was one.
    public private(set) var path: Int?
    /// Since when each path has been better than the present one; `.never` when it is not.
    private let betterSince: UnsafeMutablePointer<Instant>

    /// None yet.
    public init() {
        betterSince = .allocate(capacity: Lanes.maximum)
        betterSince.initialize(repeating: .never, count: Lanes.maximum)
    }

    deinit { betterSince.deallocate() }

    /// Looks at the lanes' scores; those of paths that can't be used are infinite.
    public mutating func update(_ lanes: borrowing Lanes, now: Instant) {
        let bar = path.map { lanes[$0].score } ?? .infinity
        var best: Int?
        var proven: Int?
        for i in 0..<lanes.count {
            let score = lanes[i].score
            guard score < bar * Self.margin else {
                betterSince[i] = .never
                continue
            }
            if betterSince[i] == .never { betterSince[i] = now }
            if best.map({ score < lanes[$0].score }) ?? true { best = i }
            guard now - betterSince[i] >= Self.hold else { continue }
            if proven.map({ score < lanes[$0].score }) ?? true { proven = i }
        }
        if let next = bar < .infinity ? proven : best { settle(on: next) }
    }

    /// Forgets the path at `index`, as it is gone; those behind it move up.
    public mutating func remove(at index: Int) {
        for i in index..<Lanes.maximum - 1 { betterSince[i] = betterSince[i + 1] }
        betterSince[Lanes.maximum - 1] = .never
        guard let present = path else { return }
        if present == index { settle(on: nil) } else if present > index { path = present - 1 }
    }

    /// Prefers none, until the next `update`.
    public mutating func reset() {
        if path != nil { settle(on: nil) }
    }

    private mutating func settle(on next: Int?) {
        path = next
        for i in 0..<Lanes.maximum { betterSince[i] = .never }
    }
}
