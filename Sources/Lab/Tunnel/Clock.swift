import Runtime

/// The time in seconds.
public enum Clock {
    /// Since boot; never goes backwards.
    public static var monotonic: Double { Double(Runtime.Clock.monotonic) / 1e9 }
    /// Since 1970, as in replies to pings.
    public static var wall: Double { Double(Runtime.Clock.wall) / 1e9 }
}
