/// Messages from other threads for the one that owns the mailbox, in the order in which they were posted.
package final class Mailbox<Message: Sendable>: @unchecked Sendable {
    private let lock = Lock()
    private let event: EventFD
    private var messages: [Message] = []
    private var isClosed = false

    /// - Throws: `RuntimeError.kernel` if the process has no descriptor left.
    package init() throws(RuntimeError) { event = try EventFD() }

    /// Readable while there is a message.
    package var fileDescriptor: Int32 { event.fileDescriptor }

    /// Adds a message.
    /// - Returns: false if the mailbox is closed, so that the message is not delivered.
    @discardableResult
    package func post(_ message: Message) -> Bool {
        lock.locked {
            if isClosed { return false }
            messages.append(message)
            event.signal()
            return true
        }
    }

    /// Wakes the owner without a message.
    package func wake() { event.signal() }

    /// Takes all messages.
    package func take() -> [Message] {
        event.clear()
        return lock.locked {
            defer { messages.removeAll() }
            return messages
        }
    }

    /// Closes the mailbox to further messages.
    /// - Returns: the remaining messages.
    package func close() -> [Message] {
        lock.locked { isClosed = true }
        return take()
    }
}
