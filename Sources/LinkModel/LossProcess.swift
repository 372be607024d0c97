/// Decides which frames are lost: each independently, or in bursts after Gilbert and Elliott.
///
/// The Gilbert–Elliott chain (Elliott, BSTJ 1963, in Gilbert's simple form: nothing is lost in the good state, all in
/// the bad one) leaves the bad state with probability r = 1/burst and enters it with p = r·loss/(1 − loss), so that its
/// long-run loss is `loss` and its mean run of lost frames is `burst`.
struct LossProcess: Sendable {
    private var isBad = false

    /// Whether the next frame is lost.
    mutating func loses(_ shape: LinkShape, _ random: inout SeededGenerator) -> Bool {
        if shape.loss <= 0 { return false }
        if shape.loss >= 1 { return true }
        if shape.burst <= 0 { return random.unit() < shape.loss }
        let leave = 1 / max(shape.burst, 1)
        let enter = leave * shape.loss / (1 - shape.loss)
        isBad = isBad ? random.unit() >= leave : random.unit() < enter
        return isBad
    }
}
