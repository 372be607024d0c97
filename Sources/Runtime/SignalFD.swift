import CLinux
import Glibc

/// Signals read from a descriptor (signalfd(2)) instead of delivered to a handler.
package struct SignalFD: ~Copyable, Sendable {
    /// Readable while a signal is pending; it does not block and is closed on exec.
    package let fileDescriptor: Int32

    /// Blocks these signals in the calling thread, which must be the main one, and in the threads that it
    /// starts.
    /// - Throws: `RuntimeError.kernel` if the process has no descriptor left.
    package init(_ signals: [Int32]) throws(RuntimeError) {
        var mask = sigset_t()
        sigemptyset(&mask)
        for signal in signals { sigaddset(&mask, signal) }
        pthread_sigmask(SIG_BLOCK, &mask, nil)
        fileDescriptor = signalfd(-1, &mask, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        guard fileDescriptor >= 0 else { throw .kernel("a signalfd", errno: errno) }
    }

    deinit { close(fileDescriptor) }

    /// The next pending signal; nil if there is none.
    package borrowing func take() -> Int32? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        return read(fileDescriptor, &info, size) == size ? Int32(info.ssi_signo) : nil
    }
}
