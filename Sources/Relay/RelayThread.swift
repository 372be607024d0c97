import CLinux
import Glibc

/// The relay's thread.
final class RelayThread: @unchecked Sendable {
    private let lock = Lock()
    private var thread: pthread_t?

    /// Starts the thread, which owns the relay from then on.
    init(_ relay: consuming RelayLoop) throws(RelayError) {
        let place = UnsafeMutablePointer<RelayLoop>.allocate(capacity: 1)
        place.initialize(to: relay)
        // The thread receives no signals: they belong to other threads, and SIGPIPE to none.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &before)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                _ = lab_thread_name("carrier")
                let place = argument!.assumingMemoryBound(to: RelayLoop.self)
                place.pointee.run()
                place.deinitialize(count: 1)
                place.deallocate()
                return nil
            }, place)
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            place.deinitialize(count: 1)
            place.deallocate()
            throw .kernel("start a thread", errno: code)
        }
        self.thread = thread
    }

    /// Waits for the thread to end; may be called once.
    func join() {
        lock.locked {
            if let thread { pthread_join(thread, nil) }
            thread = nil
        }
    }
}
