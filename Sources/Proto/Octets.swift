extension UnsafeRawBufferPointer {
    /// The bytes as libsodium takes them: it wants a pointer even to no bytes at all, and then does not follow it.
    @inline(__always)
    var octets: UnsafePointer<UInt8> { UnsafePointer(UnsafeMutableRawBufferPointer(mutating: self).octets) }
}

extension UnsafeMutableRawBufferPointer {
    /// The bytes as libsodium takes them: it wants a pointer even to no bytes at all, and then does not follow it.
    @inline(__always)
    var octets: UnsafeMutablePointer<UInt8> {
        let nothing = UnsafeMutableRawPointer(bitPattern: 64)!
        return (baseAddress ?? nothing).assumingMemoryBound(to: UInt8.self)
    }
}
