import CLinux
import Glibc

/// Commands from other threads to the relay's.
final class Mailbox: @unchecked Sendable {
    /// Readable while the mailbox is not empty.
    let fileDescriptor: Int32
    private let lock = Lock()
    private var commands: [Command] = []
    private var isClosed = false

    init() throws(RelayError) {
        fileDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard fileDescriptor >= 0 else { throw .kernel("make an eventfd", errno: errno) }
    }

    deinit { close(fileDescriptor) }

    /// Adds a command.
    /// - Returns: false if the mailbox has been shut.
    @discardableResult
    func post(_ command: Command) -> Bool {
        lock.locked {
            if isClosed { return false }
            commands.append(command)
            var one: UInt64 = 1
            _ = write(fileDescriptor, &one, 8)
            return true
        }
    }

    /// Takes all commands.
    func take() -> [Command] {
        var count: UInt64 = 0
        _ = read(fileDescriptor, &count, 8)
        return lock.locked {
            defer { commands.removeAll() }
            return commands
        }
    }

    /// Takes the last commands and refuses any more.
    func shut() -> [Command] {
        lock.locked { isClosed = true }
        return take()
    }
}
