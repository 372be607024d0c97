/// The pause before connecting again: a random value up to a limit that doubles with each failure ("full
/// jitter"), so that a control plane that comes back is not hit by all its clients at once.
struct Backoff {
    private let first: Duration
    private let longest: Duration
    private var limit: Duration

    init(first: Duration, longest: Duration) {
        self.first = first
        self.longest = longest
        limit = min(first, longest)
    }

    /// The next pause.
    mutating func pause(using generator: inout some RandomNumberGenerator) -> Duration {
        let pause = limit * Double.random(in: 0...1, using: &generator)
        limit = min(limit * 2, longest)
        return pause
    }

    /// Resets the limit after a success.
    mutating func reset() { limit = min(first, longest) }
}
