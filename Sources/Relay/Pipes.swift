import CLinux
import Glibc

/// Pipes through which bytes are spliced from socket to socket. A connection has one only while it holds bytes.
struct Pipes: ~Copyable {
    /// An unused pipe; `write` is -1 if there is none.
    struct Pipe {
        var read: Int32
        var write: Int32

        static let none = Pipe(read: -1, write: -1)
        var isNone: Bool { write < 0 }
    }

    /// The desired capacity of a pipe: some 10 ms of 1 Gbit/s. The kernel grants an unprivileged user this much
    /// for a few pipes (fs.pipe-user-pages-soft), and less for the others.
    static let wanted = 1 << 20
    /// Maximum number of pipes kept for reuse.
    private static let kept = 64
    private var spare: [Pipe] = []

    deinit {
        for pipe in spare { Self.close(pipe) }
    }

    /// An empty pipe; `.none` if the kernel refuses to create one.
    mutating func take() -> Pipe {
        if let pipe = spare.popLast() { return pipe }
        var ends: (Int32, Int32) = (-1, -1)
        let code = withUnsafeMutablePointer(to: &ends) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { clinux_pipe($0) }
        }
        guard code == 0 else { return .none }
        _ = clinux_pipe_size(ends.1, Int32(Self.wanted))
        return Pipe(read: ends.0, write: ends.1)
    }

    /// Returns a pipe.
    mutating func put(_ pipe: Pipe, isEmpty: Bool) {
        if isEmpty && spare.count < Self.kept { spare.append(pipe) } else { Self.close(pipe) }
    }

    private static func close(_ pipe: Pipe) {
        Glibc.close(pipe.read)
        Glibc.close(pipe.write)
    }
}
