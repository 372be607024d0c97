import Commands

/// What other threads have for a data thread: letters and commands. Whoever posts takes the lock once a batch and rings
/// when the box was empty; the owner takes all that is there at once.
final class Mailbox: @unchecked Sendable {
    private let lock = Lock()
    private let bell: Bell
    private var letters = Letters()
    private var commands: [ShardCommand] = []

    init() throws(Failure) { bell = try Bell() }

    /// Readable while there is something in it.
    var fileDescriptor: Int32 { bell.fileDescriptor }

    /// Lets `write` add letters.
    func post(_ write: (inout Letters) -> Void) {
        let wasEmpty = lock.locked {
            let wasEmpty = letters.count == 0
            write(&letters)
            return wasEmpty
        }
        if wasEmpty { bell.ring() }
    }

    /// Has the owner look around.
    func wake() { bell.ring() }

    func post(_ command: ShardCommand) {
        lock.locked { commands.append(command) }
        bell.ring()
    }

    /// Takes everything out.
    /// - Parameter others: empty letters, which stay here in exchange.
    func take(_ others: inout Letters) -> [ShardCommand] {
        bell.silence()
        return lock.locked {
            swap(&letters, &others)
            defer { commands.removeAll() }
            return commands
        }
    }
}
