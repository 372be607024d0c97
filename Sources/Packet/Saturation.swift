extension FixedWidthInteger {
    /// The integer part of `value`, or the nearest that there is; 0 for what is no number. A plain conversion traps there, and what
    /// the core computes with comes from the network in the end.
    @inlinable public init(saturating value: Double) {
        if value.isNaN {
            self = 0
        } else if value >= Double(Self.max) {
            self = .max
        } else if value <= Double(Self.min) {
            self = .min
        } else {
            self = Self(value)  // in range
        }
    }
}
