import Runtime

/// Where the thread puts its answer to a command, and another waits for it.
final class Reply<Value: Sendable>: @unchecked Sendable {
    private let lock = Lock()
    private var value: Value?

    /// Gives the answer.
    func answer(_ value: Value) {
        lock.locked {
            self.value = value
            lock.announce()
        }
    }

    /// The answer, once there is one.
    func wait() -> Value {
        lock.locked {
            while true {
                if let value { return value }
                lock.wait()
            }
        }
    }
}
