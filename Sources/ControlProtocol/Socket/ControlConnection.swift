import Glibc

/// One client of the control socket: at most one request and one answer in memory.
struct ControlConnection {
    enum Input {
        case line([UInt8])
        case partial
        case tooLong
        case ended
    }

    let fileDescriptor: Int32
    /// Who it is.
    let peer: Peer
    /// To be closed.
    var isOver = false
    /// To be closed when the answer is written.
    var endsAfterAnswer = false
    /// Whether there are bytes of an answer to be written.
    var hasOutput: Bool { !output.isEmpty }
    /// Whether the client may say something: it has no question open.
    var wantsToRead: Bool { !awaitsAnswer && output.isEmpty && !isOver }

    private var awaitsAnswer = false
    private var input: [UInt8] = []
    private var output: ArraySlice<UInt8> = []

    init(fileDescriptor: Int32, peer: Peer) {
        self.fileDescriptor = fileDescriptor
        self.peer = peer
    }

    /// Reads up to and with the next newline; what follows it stays in the kernel.
    mutating func readLine(limit: Int) -> Input {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { chunk in
            while true {
                let peeked = recv(fileDescriptor, chunk.baseAddress, chunk.count, Int32(MSG_PEEK))
                if peeked < 0 {
                    if errno == EINTR { continue }
                    return errno == EAGAIN ? .partial : .ended
                }
                if peeked == 0 { return .ended }
                let newline = chunk[..<peeked].firstIndex(of: UInt8(ascii: "\n"))
                let count = newline.map { $0 + 1 } ?? peeked
                guard recv(fileDescriptor, chunk.baseAddress, count, 0) == count else { return .ended }
                guard input.count + count <= limit else {
                    input = []
                    awaitsAnswer = true
                    return .tooLong
                }
                input += chunk[..<count]
                if newline != nil {
                    defer { input = [] }
                    awaitsAnswer = true
                    return .line(input)
                }
            }
        }
    }

    /// Takes the answer's line and writes what the kernel takes of it.
    mutating func answer(_ line: [UInt8]) {
        awaitsAnswer = false
        output += line
        flush()
    }

    /// Writes what the kernel takes.
    mutating func flush() {
        while !output.isEmpty {
            let written = output.withUnsafeBytes {
                send(fileDescriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if written < 0 {
                if errno == EINTR { continue }
                if errno != EAGAIN { isOver = true }
                return
            }
            output = output.dropFirst(written)
        }
        output = []
        if endsAfterAnswer { isOver = true }
    }
}
