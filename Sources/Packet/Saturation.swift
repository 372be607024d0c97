extension FixedWidthInteger {
    /// The integer part of `value`, clamped to the type's range; 0 for NaN. A plain conversion traps there, and
    /// the core's input ultimately comes from the network.
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
