import Glibc

/// One client of the control socket, with at most one request and one answer in memory.
struct ControlConnection {
    enum Input {
        case line([UInt8])
        case partial
        case tooLong
        case ended
    }

    let fileDescriptor: Int32
    /// The client's process.
    let peer: Peer
    /// Whether to close it now.
    var isOver = false
    /// Whether to close it once the answer has been written.
    var endsAfterAnswer = false
    /// Whether part of an answer remains to be written.
    var hasOutput: Bool { !output.isEmpty }
    /// Whether to read from the client: only while it has no request pending.
    var wantsToRead: Bool { !awaitsAnswer && output.isEmpty && !isOver }

    private var awaitsAnswer = false
    private var input: [UInt8] = []
    private var output: ArraySlice<UInt8> = []

    init(fileDescriptor: Int32, peer: Peer) {
        self.fileDescriptor = fileDescriptor
        self.peer = peer
    }

    /// Reads up to and including the next newline; the rest stays in the kernel.
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

    /// Queues the answer's line, and writes as much as the kernel accepts.
    mutating func answer(_ line: [UInt8]) {
        awaitsAnswer = false
        output += line
        flush()
    }

    /// Writes as much as the kernel accepts.
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
