import CLinux
import Glibc

/// Pipes through which bytes pass from socket to socket. A connection has one only while it holds bytes.
struct Pipes: ~Copyable {
    /// One that is not in use; `write` is -1 when there is none.
    struct Pipe {
        var read: Int32
        var write: Int32

        static let none = Pipe(read: -1, write: -1)
        var isNone: Bool { write < 0 }
    }

    /// What a pipe should hold: some 10 ms of 1 Gbit/s. A kernel gives a user without privileges this much for a few pipes
    /// (fs.pipe-user-pages-soft), and what it likes for others.
    static let wanted = 1 << 20
    /// How many are kept for later.
    private static let kept = 64
    private var spare: [Pipe] = []

    deinit {
        for pipe in spare { Self.close(pipe) }
    }

    /// An empty pipe; `.none` when the kernel gives none.
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

    /// Takes a pipe back.
    mutating func put(_ pipe: Pipe, isEmpty: Bool) {
        if isEmpty && spare.count < Self.kept { spare.append(pipe) } else { Self.close(pipe) }
    }

    private static func close(_ pipe: Pipe) {
        Glibc.close(pipe.read)
        Glibc.close(pipe.write)
    }
}
