import CLinux
import Glibc

/// An eventfd (eventfd(2)): signalled by one thread, it wakes another that watches its descriptor.
package struct EventFD: ~Copyable, Sendable {
    /// Readable from `signal` until `clear`; it does not block and is closed on exec.
    package let fileDescriptor: Int32

    /// - Throws: `RuntimeError.kernel` if the process has no descriptor left.
    package init() throws(RuntimeError) {
        fileDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard fileDescriptor >= 0 else { throw .kernel("an eventfd", errno: errno) }
    }

    deinit { close(fileDescriptor) }

    /// Makes the descriptor readable.
    package func signal() {
        var one: UInt64 = 1
        _ = write(fileDescriptor, &one, 8)
    }

    /// Makes the descriptor unreadable until the next `signal`.
    package func clear() {
        var count: UInt64 = 0
        _ = read(fileDescriptor, &count, 8)
    }
}
