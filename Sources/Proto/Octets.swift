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
