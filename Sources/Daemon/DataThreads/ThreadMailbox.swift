import Runtime

/// Letters and commands from other threads for a data thread. A thread that posts letters takes the lock once
/// for each batch, and wakes the owner if the mailbox was empty; the owner takes everything at once.
final class ThreadMailbox: Sendable {
    private let commands: Mailbox<ShardCommand>
    private let lock = Lock()
    private nonisolated(unsafe) var letters = Letters()

    /// - Throws: `RuntimeError.kernel` if the process has no descriptor left.
    init() throws(RuntimeError) { commands = try Mailbox() }

    /// Readable while it is not empty.
    var fileDescriptor: Int32 { commands.fileDescriptor }

    /// Lets `write` add letters.
    func post(_ write: (inout Letters) -> Void) {
        let wasEmpty = lock.locked {
            let wasEmpty = letters.count == 0
            write(&letters)
            return wasEmpty
        }
        if wasEmpty { commands.wake() }
    }

    /// Wakes the owner without a letter.
    func wake() { commands.wake() }

    /// Gives the owner a command.
    func post(_ command: ShardCommand) { commands.post(command) }

    /// Empties it.
    /// - Parameter others: empty letters, which stay here in exchange.
    func take(_ others: inout Letters) -> [ShardCommand] {
        let taken = commands.take()
        lock.locked { swap(&letters, &others) }
        return taken
    }
}
