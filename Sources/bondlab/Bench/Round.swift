import Lab

/// A run of a scenario: its position among all runs, and its resources.
struct Round {
    let stopper: Stopper
    let rivals: Rivals?
    let mixes: MixChoice
    /// From 1.
    let number: Int
    let count: Int

    /// Whether it is the middle one, in which figures measured once are least affected by a machine that drifts.
    var isMiddle: Bool { number == (count + 1) / 2 }

    /// wireguard-go, if available.
    var wireGuard: [Contender] { rivals?.wireGuard.map { [.wireGuard($0)] } ?? [] }
}
