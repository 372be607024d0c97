import Rules
import Settings

/// The connection to a control plane: keeps a session with it, brings what it says to a keeper, and reports. Losing it changes
/// nothing that is carried.
public final class ControlPlane: Sendable {
    /// - Parameters:
    ///   - bundle: what enrolment gave.
    ///   - keeper: is called one call at a time.
    ///   - version: this program's, as the control plane shows it.
    public init(
        bundle: Bundle, keeper: any RuleKeeper, log: Log, version: String = Product.version,
        timing: Timing = Timing()
    ) {}

    /// Connects, and connects again whenever the session ends, until `stop`. Once.
    public func start() {}

    /// Ends the session. What runs of the keeper ends by itself; nothing more is called then.
    public func stop() {}
}
