extension FixedWidthInteger {
    /// The integer part of `value`, clamped to the type's range; 0 for NaN. A plain conversion traps there, and
    /// the core's input ultimately comes from the network.
    @inlinable public init(saturating value: Double) {
        // Through the widest integers, whose conversion is one instruction: the generic one takes hundreds.
        if value.isNaN {
            self = 0
        } else if value >= 0 {
            self = value < 0x1p64 ? Self(clamping: UInt64(value)) : .max
        } else {
            self = value > -0x1p63 ? Self(clamping: Int64(value)) : .min
        }
    }
}
