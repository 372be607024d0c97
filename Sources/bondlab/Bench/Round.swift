import Lab

/// A run of a scenario: its place among all runs, and what it may use.
struct Round {
    let stopper: Stopper
    let rivals: Rivals?
    let mixes: MixChoice
    /// From 1.
    let number: Int
    let count: Int

    /// Whether it is the one in the middle, where what is measured once is least touched by a machine that drifts.
    var isMiddle: Bool { number == (count + 1) / 2 }

    /// wireguard-go, where there is one.
    var wireGuard: [Contender] { rivals?.wireGuard.map { [.wireGuard($0)] } ?? [] }
}
