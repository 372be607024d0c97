import Commands
import ControlProtocol
import Glibc
import Runtime

/// `bondd status --watch`: queries the daemon once a second and shows its status until the user quits.
struct LiveStatus {
    let socket: String
    let hasColour: Bool
    private var view = WatchView()

    /// Interval between queries, in milliseconds.
    private static let period = 1000

    /// - Throws: `Failure` or `SocketError` if the daemon does not answer at all; later, it waits for the
    ///   daemon.
    init(socket: String, hasColour: Bool) throws {
        self.socket = socket
        self.hasColour = hasColour
        view.sparkline = Terminal.knowsUnicode ? .unicode : .ascii
        view.history.add(try ControlClient.get(.status, path: socket), at: Self.now)
    }

    private static var now: Double { Double(Clock.monotonic) / 1e9 }

    /// Shows the status full-screen on a terminal, or as lines elsewhere.
    mutating func run() throws {
        if Terminal.isThere { try runOnScreen() } else { runAsLines() }
    }

    // MARK: - A screen

    private mutating func runOnScreen() throws {
        let terminal = try Terminal()
        var next = Self.now + Double(Self.period) / 1000
        while true {
            let size = terminal.size
            terminal.draw(view.lines(columns: size.columns, rows: size.rows), hasColour: hasColour)
            switch terminal.wait(milliseconds: Int((next - Self.now) * 1000) + 1) {
            case .keys(let keys):
                for key in keys {
                    if key == .quit { return }
                    press(key)
                }
            case .ended: return
            case .resized: break
            case .time:
                look()
                next = max(next + Double(Self.period) / 1000, Self.now)
            }
        }
    }

    private mutating func press(_ key: Key) {
        view.message = nil
        guard let request = view.press(key) else { return }
        do {
            _ = try ask(.set(key: request.key, value: request.value), socket)
            look()
            view.message = "\(request.key) is \(request.value) until bondd ends or reloads its file"
        } catch {
            view.message = "\(error)"
        }
    }

    private mutating func look() {
        do {
            guard case .status(let status) = try ControlClient.ask(.status, path: socket, timeout: 2000)
            else { throw Failure("bondd gave no status") }
            view.history.add(status, at: Self.now)
            view.silence = nil
            view.selection = min(view.selection, max(0, view.rowCount - 1))
        } catch {
            view.history.interrupt()
            view.silence = "bondd does not answer: \(error)"
        }
    }

    // MARK: - Lines

    private mutating func runAsLines() {
        var said: String?
        while true {
            let text: String
            if let silence = view.silence {
                text = silence == said ? "" : silence + "\n"
            } else {
                text = view.plainLines(time: Self.clock).map { $0 + "\n" }.joined()
            }
            said = view.silence
            guard Output.write(text), !readerIsGone else { return }
            usleep(UInt32(Self.period * 1000))
            look()
        }
    }

    /// Whether the reader has closed the output. Checked by poll, because nothing may be written for long
    /// while the daemon is away.
    private var readerIsGone: Bool {
        var watched = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        return poll(&watched, 1, 0) > 0 && watched.revents & Int16(POLLERR) != 0
    }

    /// `12:34:56`
    private static var clock: String {
        var now = time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }
}
