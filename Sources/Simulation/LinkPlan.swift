import LinkModel

/// A link of a mix, and its changes over time.
public struct LinkPlan: Equatable, Sendable {
    /// A change of both directions of a link.
    public enum Change: Equatable, Sendable {
        /// The rate from now on, in bits per second.
        case rate(UInt64)
        /// The one-way delay from now on, in nanoseconds.
        case delay(UInt64)
        /// Whether all frames vanish silently from now on.
        case isDown(Bool)
    }

    /// A change and its time.
    public struct Step: Equatable, Sendable {
        /// Nanoseconds since the flows began.
        public var time: UInt64
        /// The change.
        public var change: Change
    }

    /// Client to server.
    public var up: LinkShape
    /// Server to client.
    public var down: LinkShape
    /// The steps in order of time.
    public private(set) var steps: [Step] = []

    /// A link without changes, the same in both directions unless `down` is given.
    public init(_ up: LinkShape, down: LinkShape? = nil) {
        self.up = up
        self.down = down ?? up
    }

    /// A copy to which `change` happens `seconds` after the flows began.
    func then(_ change: Change, at seconds: Double) -> LinkPlan {
        var plan = self
        plan.steps.append(Step(time: UInt64(seconds * 1e9), change: change))
        return plan
    }

    /// A copy to which the `changes` happen in turn until `end`, each `seconds` after the previous one.
    func alternating(_ changes: [Change], every seconds: Double, until end: Double) -> LinkPlan {
        var plan = self
        var count = 0
        while Double(count + 1) * seconds < end {
            plan = plan.then(changes[count % changes.count], at: Double(count + 1) * seconds)
            count += 1
        }
        return plan
    }

    /// The shape of one direction at the start.
    func shape(from side: Side) -> LinkShape { side == .client ? up : down }

    /// The shapes of one direction from `start` to `end` (nanoseconds since the flows began), each with its share
    /// of that time.
    func shapes(from side: Side, _ start: UInt64, _ end: UInt64) -> [(shape: LinkShape, share: Double)] {
        var shape = shape(from: side)
        var result: [(LinkShape, Double)] = []
        var since = start
        for step in steps where step.time < end {
            if step.time > since {
                result.append((shape, Double(step.time - since) / Double(end - start)))
                since = step.time
            }
            shape.apply(step.change)
        }
        result.append((shape, Double(end - since) / Double(end - start)))
        return result
    }
}

extension LinkShape {
    /// Applies a change of the link.
    public mutating func apply(_ change: LinkPlan.Change) {
        switch change {
        case .rate(let rate): self.rate = rate
        case .delay(let delay): self.delay = delay
        case .isDown(let isDown): self.isDown = isDown
        }
    }
}
