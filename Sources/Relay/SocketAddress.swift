import Glibc
import Packet
import Transport

extension SocketAddress {
    /// Calls `body` with the endpoint in the kernel's form.
    static func with<Result>(
        _ endpoint: Endpoint, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { bytes in
            let length = write(endpoint, to: bytes)
            return body(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), length)
        }
    }

    /// The endpoint that the kernel writes during `body`; nil if `body` does not return 0.
    static func reading(_ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32)
        -> Endpoint?
    {
        withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { bytes in
            var length = socklen_t(size)
            guard body(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length) == 0 else {
                return nil
            }
            return read(UnsafeRawBufferPointer(bytes))
        }
    }
}
