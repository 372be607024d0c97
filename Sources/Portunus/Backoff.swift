/// How long to wait before connecting again: anything from nothing to a limit that doubles with each failure ("full jitter"), so
/// that a control plane that comes back is not met by all its clients at once.
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

    /// It worked.
    mutating func reset() { limit = min(first, longest) }
}
