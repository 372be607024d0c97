/// A recurring event: it lasts for the last `length` of every `period`, in nanoseconds.
public struct Recurrence: Equatable, Sendable {
    /// How long it lasts.
    public var length: UInt64
    /// From the end of one to the end of the next.
    public var period: UInt64

    /// The last `length` of every `period` nanoseconds; `length` is less than `period`.
    public init(length: UInt64, every period: UInt64) {
        precondition(length < period)
        (self.length, self.period) = (length, period)
    }

    /// When it ends, if it is in progress at `time`; nil otherwise.
    func end(at time: UInt64) -> UInt64? {
        let phase = time % period
        return phase >= period - length ? time - phase + period : nil
    }
}
