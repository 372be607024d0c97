/// Arithmetic in GF(2⁸) modulo x⁸ + x⁴ + x³ + x² + 1, the field of RFC 5510 section 8.1 and RFC 8681.
///
/// Addition is an exclusive or. A product is a sum of doublings, so eight adjacent bytes are multiplied with
/// shifts and masks alone, without tables, and the compiler vectorizes the code.
public enum GaloisField {
    /// The field's polynomial without x⁸.
    private static let polynomial: UInt64 = 0x1D

    /// The product of two elements.
    public static func multiply(_ a: UInt8, _ b: UInt8) -> UInt8 {
        var product: UInt8 = 0
        var doubled = UInt64(a)
        for bit in 0..<8 {
            if b >> UInt8(bit) & 1 == 1 { product ^= UInt8(truncatingIfNeeded: doubled) }
            doubled = double(doubled)
        }
        return product
    }

    /// The multiplicative inverse of `a`; 0 for 0. The group has 255 elements, so a⁻¹ = a²⁵⁴.
    public static func inverse(_ a: UInt8) -> UInt8 {
        var power = a
        var product: UInt8 = 1
        for _ in 0..<7 {
            power = multiply(power, power)
            product = multiply(product, power)
        }
        return product
    }

    /// Adds `coefficient` × `source` to `sum`, byte by byte.
    /// - Precondition: `sum` is at least as long as `source`, and both begin at the same address or do not
    ///   overlap.
    public static func add(
        _ coefficient: UInt8, times source: UnsafeRawBufferPointer, to sum: UnsafeMutableRawBufferPointer
    ) {
        precondition(sum.count >= source.count)
        guard let from = source.baseAddress, let to = sum.baseAddress else { return }
        let masks = Masks(coefficient)
        let words = source.count / 8
        for i in 0..<words {
            let product = masks.multiply(from.loadUnaligned(fromByteOffset: i &* 8, as: UInt64.self))
            let old = to.loadUnaligned(fromByteOffset: i &* 8, as: UInt64.self)
            to.storeBytes(of: old ^ product, toByteOffset: i &* 8, as: UInt64.self)
        }
        for i in words &* 8..<source.count {
            let product = masks.multiply(UInt64(from.load(fromByteOffset: i, as: UInt8.self)))
            let old = to.load(fromByteOffset: i, as: UInt8.self)
            to.storeBytes(of: old ^ UInt8(truncatingIfNeeded: product), toByteOffset: i, as: UInt8.self)
        }
    }

    /// Doubles eight elements at once.
    @inline(__always)
    private static func double(_ elements: UInt64) -> UInt64 {
        let overflow = elements & 0x8080_8080_8080_8080
        // All bits of the bytes that overflow.
        let mask = (overflow &<< 1) &- (overflow &>> 7)
        return (elements ^ overflow) &<< 1 ^ (mask & (polynomial &* 0x0101_0101_0101_0101))
    }

    /// A coefficient, with each of its bits expanded to a mask of a word.
    private struct Masks {
        private let m0, m1, m2, m3, m4, m5, m6, m7: UInt64

        init(_ coefficient: UInt8) {
            let bits = UInt64(coefficient)
            m0 = 0 &- (bits & 1)
            m1 = 0 &- (bits &>> 1 & 1)
            m2 = 0 &- (bits &>> 2 & 1)
            m3 = 0 &- (bits &>> 3 & 1)
            m4 = 0 &- (bits &>> 4 & 1)
            m5 = 0 &- (bits &>> 5 & 1)
            m6 = 0 &- (bits &>> 6 & 1)
            m7 = 0 &- (bits &>> 7 & 1)
        }

        /// The coefficient times eight elements: Horner's rule over its bits.
        @inline(__always)
        func multiply(_ x: UInt64) -> UInt64 {
            var product = x & m7
            product = double(product) ^ (x & m6)
            product = double(product) ^ (x & m5)
            product = double(product) ^ (x & m4)
            product = double(product) ^ (x & m3)
            product = double(product) ^ (x & m2)
            product = double(product) ^ (x & m1)
            return double(product) ^ (x & m0)
        }
    }
}
