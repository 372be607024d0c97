import Glibc

/// A mutex and the condition variable that goes with it. Not the standard library's `Mutex`, which has no condition, and
/// whose slow path the thread sanitizer cannot see into.
package final class Lock: @unchecked Sendable {
    @usableFromInline let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init() {
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` while no other thread is in one.
    @inlinable package func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Waits in a `locked` body until another thread calls `announce`. May return without that.
    package func wait() { pthread_cond_wait(condition, mutex) }

    /// Wakes all threads in `wait`.
    package func announce() { pthread_cond_broadcast(condition) }
}
