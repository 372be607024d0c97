import ControlProtocol

/// The services that bondd was handed for the kernel, and those that it has refused.
struct KernelHandover {
    /// How long a service that bondd has left out waits before it is handed over again.
    private static let refusalTime = Duration.seconds(30)

    /// The services that bondd last accepted; nil if the running bondd has none from here.
    private(set) var accepted: [HandedService]?
    /// The run of bondd that accepted them.
    private var run: String?
    /// Why bondd last refused services; empty if it did not.
    private(set) var refusal = ""
    /// The reason for each service that bondd has left out, by name.
    private(set) var refused: [String: String] = [:]
    private var retryAt = ContinuousClock.now

    /// Notes bondd's present run. A restarted bondd has its saved services, but gets them again.
    mutating func note(run: String) {
        if self.run != run { accepted = nil }
        self.run = run
    }

    /// Whether to hand these services over. Even none: bondd may have some from before a restart of this
    /// program.
    func isDue(_ services: [HandedService]) -> Bool {
        services != accepted || !refused.isEmpty && retryAt <= .now
    }

    /// bondd has accepted these services, except the refused ones.
    mutating func accept(_ services: [HandedService], refused: [String: String]) {
        (accepted, self.refused) = (services, refused)
        retryAt = .now + Self.refusalTime
    }

    /// bondd does not answer, and may be another one next time.
    mutating func forget() { accepted = nil }

    /// Notes why bondd refuses services; empty if it does not.
    /// - Returns: whether this is to be logged.
    mutating func note(refusal: String) -> Bool {
        defer { self.refusal = refusal }
        return refusal != self.refusal && !refusal.isEmpty
    }
}
