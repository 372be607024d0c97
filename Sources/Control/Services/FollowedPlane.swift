import Portunus

/// The control plane that a service plane follows.
struct FollowedPlane {
    /// The state of its connection; nil if there is none.
    var state: PlaneState?
    /// Why there is no control plane although one is configured.
    var problem: String?
    private(set) var endpoint: String?
    /// The key of its rows in the state; nil if there is none.
    private(set) var key: String?

    /// Follows the control plane of a bundle.
    /// - Returns: whether it is another than before. One whose certificate is renewed stays the same.
    mutating func follow(_ bundle: Bundle) -> Bool {
        let before = key
        (endpoint, state, problem) = (bundle.endpoint, .connecting(nil), nil)
        key = bundle.clientID ?? "\(bundle.clientName) \(bundle.pin)"
        return key != before
    }
}

/// Pushed rules and owners of rules that differ from the state's file.
struct UnsavedChanges {
    private(set) var rules: Set<UInt64> = []
    private(set) var owners: Set<String> = []

    mutating func note(rule number: UInt64) { rules.insert(number) }
    mutating func note(owner: String) { owners.insert(owner) }

    /// Adds changes that could not be stored.
    mutating func restore(_ change: ServiceChange) {
        rules.formUnion(change.rules.keys)
        owners.formUnion(change.limits.keys)
    }
}
