import CLinux
import Commands
import Glibc

/// An eventfd: rung by one thread, it wakes another that watches it.
struct Bell: ~Copyable, Sendable {
    /// Readable since it was rung; it does not block and is closed on exec.
    let fileDescriptor: Int32

    init() throws(Failure) {
        fileDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard fileDescriptor >= 0 else {
            throw Failure("the kernel gives no eventfd (\(String(cString: strerror(errno))))")
        }
    }

    deinit { close(fileDescriptor) }

    func ring() {
        var one: UInt64 = 1
        _ = write(fileDescriptor, &one, 8)
    }

    func silence() {
        var count: UInt64 = 0
        _ = read(fileDescriptor, &count, 8)
    }
}
