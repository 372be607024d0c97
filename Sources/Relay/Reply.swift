/// The thread's answer to a command, for which another thread waits.
final class Reply<Value: Sendable>: @unchecked Sendable {
    private let lock = Lock()
    private var value: Value?

    /// Provides the answer.
    func answer(_ value: Value) {
        lock.locked {
            self.value = value
            lock.announce()
        }
    }

    /// Waits for the answer.
    func wait() -> Value {
        lock.locked {
            while true {
                if let value { return value }
                lock.wait()
            }
        }
    }
}
