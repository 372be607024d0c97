extension UnsafeRawBufferPointer {
    /// The bytes for libsodium, which requires a non-null pointer even for zero bytes, and does not read it then.
    @inline(__always)
    var octets: UnsafePointer<UInt8> { UnsafePointer(UnsafeMutableRawBufferPointer(mutating: self).octets) }
}

extension UnsafeMutableRawBufferPointer {
    /// The bytes for libsodium, which requires a non-null pointer even for zero bytes, and does not read it then.
    @inline(__always)
    var octets: UnsafeMutablePointer<UInt8> {
        let nothing = UnsafeMutableRawPointer(bitPattern: 64)!
        return (baseAddress ?? nothing).assumingMemoryBound(to: UInt8.self)
    }
}

extension StaticString {
    /// The characters in UTF-8, for the purpose of a derived key.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}
