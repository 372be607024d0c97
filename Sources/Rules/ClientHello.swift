import Packet

/// Finds the server name (SNI, RFC 6066 3) in the first data from a TLS client, SSL 3.0 to TLS 1.3, however it
/// is split into records (RFC 8446 5.1) and reads. Examines every byte once, stores none but the name's, and
/// never traps. For an encrypted hello it finds the outer name.
package struct ClientHello: Sendable {
    /// The result so far.
    package enum Reading: Hashable, Sendable {
        /// The hello continues.
        case needsMore
        /// The name in lower case; nil if the client sends none.
        case name(String?)
        /// It is not a ClientHello, is malformed, or is longer than `maximumSize`.
        case notTLS
    }

    /// Maximum number of bytes of a connection to examine.
    package static let maximumSize = 65_536

    /// The meaning of the next number.
    private enum Step {
        case type, length, sessionSize, suitesSize, methodsSize, extensionsSize, extensionType, extensionSize
        case listSize, entryType, entrySize

        var width: Int {
            switch self {
            case .type, .sessionSize, .methodsSize, .entryType: 1
            case .suitesSize, .extensionsSize, .extensionType, .extensionSize, .listSize, .entrySize: 2
            case .length: 3
            }
        }
    }

    private var result: Reading?
    private var position = 0
    /// The record: the number of header bytes read, the length they give, and the rest of it.
    private var headerSize = 0
    private var recordSize = 0
    private var recordLeft = 0
    /// The message: the rest of it that no number, skip or name has claimed yet.
    private var messageLeft = 4
    private var step = Step.type
    private var number = 0
    private var numberLeft = 1
    private var skipLeft = 0
    private var listLeft = 0
    private var nameLeft = 0
    private var isServerName = false
    private var name = ""

    /// A reader at the beginning of a connection.
    package init() {}

    /// Continues reading.
    /// - Parameter peeked: all data of the connection from its first byte: at least the bytes passed in the
    ///   last call.
    package mutating func read(_ peeked: UnsafeRawBufferPointer) -> Reading {
        let end = min(peeked.count, Self.maximumSize)
        while result == nil && position < end {
            if recordLeft == 0 {
                readHeader(peeked[position])
                position += 1
            } else {
                let size = min(recordLeft, end - position)
                readMessage(peeked.slice(position, size))
                recordLeft -= size
                position += size
            }
        }
        if result == nil && position >= Self.maximumSize { result = .notTLS }
        return result ?? .needsMore
    }

    /// Minimum number of bytes from the connection's first one before `read` can make progress. The rest of a
    /// record's header and of the message is known; headers of further records come on top.
    package var neededSize: Int {
        let missing = recordLeft > 0 ? 0 : 5 - headerSize
        // The bytes of a name are part of the rest of the message until the name is complete.
        let rest = nameLeft > 0 ? nameLeft : messageLeft + numberLeft + skipLeft
        return min(position + missing + rest, Self.maximumSize)
    }

    private mutating func readHeader(_ byte: UInt8) {
        switch headerSize {
        case 0 where byte != 22, 1 where byte != 3, 2 where byte > 4: return fail()
        case 3: recordSize = Int(byte) << 8
        case 4:
            recordSize |= Int(byte)
            // Handshake records are never empty, plain ones at most 2^14 long.
            guard (1...16384).contains(recordSize) else { return fail() }
            recordLeft = recordSize
            headerSize = 0
            return
        default: break
        }
        headerSize += 1
    }

    private mutating func readMessage(_ fragment: UnsafeRawBufferPointer) {
        var rest = fragment
        while result == nil && !rest.isEmpty {
            if skipLeft > 0 {
                let size = min(skipLeft, rest.count)
                skipLeft -= size
                rest = rest.dropping(size)
                if skipLeft == 0 { advance() }
                continue
            }
            let byte = rest[0]
            rest = rest.dropping(1)
            if nameLeft > 0 {
                readName(byte)
            } else {
                number = number << 8 | Int(byte)
                numberLeft -= 1
                if numberLeft == 0 { readNumber(number) }
            }
        }
    }

    private mutating func readName(_ byte: UInt8) {
        // Printable ASCII; anything else cannot be part of a host name.
        guard (0x21...0x7E).contains(byte) else { return fail() }
        name.unicodeScalars.append(Unicode.Scalar(HostName.lowercased(byte)))
        nameLeft -= 1
        if nameLeft == 0 { result = .name(name) }
    }

    private mutating func readNumber(_ value: Int) {
        switch step {
        case .type: value == 1 ? expect(.length) : fail()
        case .length:
            messageLeft = value
            // The version and 32 random bytes.
            skip(34, to: .sessionSize)
        case .sessionSize: value <= 32 ? skip(value, to: .suitesSize) : fail()
        case .suitesSize: value >= 2 && value % 2 == 0 ? skip(value, to: .methodsSize) : fail()
        case .methodsSize: value >= 1 ? skip(value, to: .extensionsSize) : fail()
        case .extensionsSize:
            guard value == messageLeft else { return fail() }
            step = .extensionType
            advance()
        case .extensionType:
            isServerName = value == 0
            expect(.extensionSize)
        case .extensionSize:
            guard isServerName else { return skip(value, to: .extensionType) }
            listLeft = value
            value >= 5 && value <= messageLeft ? expect(.listSize) : fail()
        case .listSize:
            listLeft -= 2
            value == listLeft ? expect(.entryType) : fail()
        case .entryType:
            isServerName = value == 0
            expect(.entrySize)
        case .entrySize: readEntry(size: value)
        }
    }

    private mutating func readEntry(size: Int) {
        listLeft -= 3
        guard size <= listLeft else { return fail() }
        listLeft -= size
        guard isServerName else { return skip(size, to: .entryType) }
        // A name with a trailing dot, which it must not have, is accepted.
        guard (1...HostName.maximumSize + 1).contains(size) else { return fail() }
        nameLeft = size
        name.reserveCapacity(size)
    }

    /// Proceeds to `step`, or to the next part if its enclosing block has ended.
    private mutating func advance() {
        switch step {
        case .extensionsSize where messageLeft == 0, .extensionType where messageLeft == 0:
            result = .name(nil)
        case .entryType where listLeft == 0:
            step = .extensionType
            advance()
        case .entryType where listLeft < 3: fail()
        default: expect(step)
        }
    }

    private mutating func skip(_ size: Int, to next: Step) {
        guard size <= messageLeft else { return fail() }
        messageLeft -= size
        step = next
        skipLeft = size
        if size == 0 { advance() }
    }

    private mutating func expect(_ next: Step) {
        guard next.width <= messageLeft else { return fail() }
        messageLeft -= next.width
        step = next
        number = 0
        numberLeft = next.width
    }

    private mutating func fail() { result = .notTLS }
}
