import Commands
import Glibc
import Runtime

/// The user's terminal during the live view: in raw mode, on its alternate screen. Restored when the value is
/// destroyed.
struct Terminal: ~Copyable {
    /// The reason why `wait` returned.
    enum Event: Equatable {
        case keys([Key])
        /// The terminal has a new size.
        case resized
        /// A terminating signal, or the other end hung up.
        case ended
        /// The time has run out.
        case time
    }

    private var before = termios()
    private let signals: SignalFD

    /// Whether both ends are a terminal that can do more than print lines.
    static var isThere: Bool {
        let kind = getenv("TERM").map { String(cString: $0) } ?? ""
        return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && kind != "" && kind != "dumb"
    }

    /// Whether it has the characters of sparklines: the locale uses UTF-8, and it is not the kernel's own
    /// console.
    static var knowsUnicode: Bool {
        func value(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        let locale = (value("LC_ALL") ?? value("LC_CTYPE") ?? value("LANG") ?? "").uppercased()
        return (locale.hasSuffix("UTF-8") || locale.hasSuffix("UTF8")) && value("TERM") != "linux"
    }

    /// Takes over the terminal.
    init() throws(Failure) {
        let signals = try Self.takeSignals()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else {
            throw Failure("the terminal can't be used: \(String(cString: strerror(errno)))")
        }
        self.signals = signals
        var raw = before
        cfmakeraw(&raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
        // Alternate screen, no cursor, no line wrap.
        _ = Output.write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l")
    }

    private static func takeSignals() throws(Failure) -> SignalFD {
        do throws(RuntimeError) {
            return try SignalFD([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH])
        } catch {
            throw Failure("the terminal can't be used: \(error.description)")
        }
    }

    deinit {
        _ = Output.write("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        var before = before
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before)
    }

    /// Its size; 80 × 24 if it is unknown.
    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Draws a frame over the previous one.
    borrowing func draw(_ lines: [StyledLine], hasColour: Bool) {
        // Each line is erased before it is drawn, not after: behind a full line, the cursor stands on its
        // last character.
        let text = lines.enumerated().map { number, line in
            (number + 1 < lines.count ? "\u{1B}[K" : "\u{1B}[J") + line.drawn(hasColour: hasColour)
        }
        _ = Output.write("\u{1B}[H" + text.joined(separator: "\r\n"))
    }

    /// Waits at most `milliseconds` for the user.
    borrowing func wait(milliseconds: Int) -> Event {
        var watched = [
            pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signals.fileDescriptor, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&watched, 2, Int32(max(0, milliseconds))) > 0 else { return .time }
        if watched[1].revents != 0, let signal = signals.take() {
            return signal == SIGWINCH ? .resized : .ended
        }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(STDIN_FILENO, &bytes, bytes.count)
        if count > 0 { return .keys(Key.keys(in: bytes[..<count])) }
        return count < 0 && (errno == EINTR || errno == EAGAIN) ? .time : .ended
    }
}
