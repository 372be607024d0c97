import Packet

/// `preferred`: the one path that carries all the traffic it can.
///
/// Another path replaces it after being better by 15 % for 3 s, so that two similar paths do not alternate
/// and a bad moment is not a reason to switch; at once if the current path cannot be used.
public struct Preference: ~Copyable {
    /// Bound on another path's score, as a share of the current path's.
    static let margin = 0.85
    /// How long another path's score must stay below the bound.
    static let hold = Interval.seconds(3)

    /// Index of the current path; `nil` if there is none.
    public private(set) var path: Int?
    /// Since when each path has been better than the current one; `.never` if it is not.
    private let betterSince: UnsafeMutablePointer<Instant>

    /// No preference yet.
    public init() {
        betterSince = .allocate(capacity: Lanes.maximum)
        betterSince.initialize(repeating: .never, count: Lanes.maximum)
    }

    deinit { betterSince.deallocate() }

    /// Reads the lanes' scores, which are infinite for paths that cannot be used.
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

    /// Forgets the path at `index`, which was removed; those behind it move up.
    public mutating func remove(at index: Int) {
        for i in index..<Lanes.maximum - 1 { betterSince[i] = betterSince[i + 1] }
        betterSince[Lanes.maximum - 1] = .never
        guard let present = path else { return }
        if present == index { settle(on: nil) } else if present > index { path = present - 1 }
    }

    /// Clears the preference until the next `update`.
    public mutating func reset() {
        if path != nil { settle(on: nil) }
    }

    private mutating func settle(on next: Int?) {
        path = next
        for i in 0..<Lanes.maximum { betterSince[i] = .never }
    }
}
