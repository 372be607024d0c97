import Packet

/// The largest or smallest value of a sliding window of time, in constant space: the best sample, and the
/// second and third best since then (Kathleen Nichols' algorithm, as in Linux's lib/win_minmax.c).
public struct WindowedExtremum: ~Copyable, Sendable {
    /// Which extremum to keep.
    public enum End: Sendable {
        case minimum
        case maximum
    }

    private struct Sample {
        var value: Int64
        var time: Instant
    }

    /// How long a sample counts.
    public var window: Interval
    private let end: End
    private var best = Sample(value: 0, time: .zero)
    private var second = Sample(value: 0, time: .zero)
    private var third = Sample(value: 0, time: .zero)
    private var isEmpty = true

    /// An empty window.
    public init(window: Interval, keeps end: End) {
        self.window = window
        self.end = end
    }

    /// The extremum; `nil` before the first sample.
    public var value: Int64? { isEmpty ? nil : best.value }

    private func beats(_ a: Int64, _ b: Int64) -> Bool { end == .minimum ? a <= b : a >= b }

    /// Forgets everything but `value`.
    public mutating func reset(to value: Int64, now: Instant) {
        best = Sample(value: value, time: now)
        second = best
        third = best
        isEmpty = false
    }

    /// Takes a sample. Old ones leave the window only here, so an idle path keeps its last known value.
    public mutating func record(_ value: Int64, now: Instant) {
        let sample = Sample(value: value, time: now)
        if isEmpty || beats(value, best.value) || now - third.time > window {
            reset(to: value, now: now)
            return
        }
        if beats(value, second.value) {
            second = sample
            third = sample
        } else if beats(value, third.value) {
            third = sample
        }
        if now - best.time > window {
            best = second
            second = third
            third = sample
            if now - best.time > window {
                best = second
                second = third
            }
        } else if second.time == best.time && now - second.time > window / 4 {
            second = sample
            third = sample
        } else if third.time == second.time && now - third.time > window / 2 {
            third = sample
        }
    }
}
