import Runtime

/// The time in seconds.
public enum Clock {
    /// Since the machine started; it only grows.
    public static var monotonic: Double { Double(Runtime.Clock.monotonic) / 1e9 }
    /// Since 1970, as replies to pings have it.
    public static var wall: Double { Double(Runtime.Clock.wall) / 1e9 }
}
