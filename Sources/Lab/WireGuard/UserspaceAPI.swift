import CLinux
import Glibc

/// The configuration socket of a user-space WireGuard (https://www.wireguard.com/xplatform/).
struct UserspaceAPI {
    /// The directory in which implementations create their sockets.
    static let directory = "/var/run/wireguard"
    private let path: String

    /// The socket of an interface.
    init(interface: String) { path = "\(Self.directory)/\(interface).sock" }

    /// Removes a socket left behind by its program.
    func remove() { unlink(path) }

    /// Waits until the program is listening. Throws `deadline` after `seconds`, `failed` if it ended.
    func wait(for daemon: Child, seconds: Double = 3) throws(LabError) {
        for _ in 0..<Int(seconds * 100) {
            if let fd = try? connect() {
                close(fd)
                return
            }
            if let status = daemon.status {
                throw .failed(command: daemon.command, status: status, errors: daemon.errors + daemon.output)
            }
            usleep(10_000)
        }
        throw .deadline(waitingFor: path, seconds: seconds)
    }

    /// Sets keys to values, in this order. Throws `system`, or `unreadable` with the program's answer.
    func set(_ pairs: [(key: String, value: String)]) throws(LabError) {
        let fd = try connect()
        defer { close(fd) }
        var request = "set=1\n" + pairs.map { "\($0.key)=\($0.value)\n" }.joined() + "\n"
        let sent = request.withUTF8 { Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard sent == request.utf8.count else { throw .system(call: "writing to \(path)", errno: errno) }
        var timeout = timeval(tv_sec: 3, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var answer: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 256)
        while answer.suffix(2) != [10, 10] {
            let count = recv(fd, &bytes, bytes.count, 0)
            if count <= 0 { break }
            answer += bytes.prefix(count)
        }
        let text = String(decoding: answer, as: UTF8.self)
        guard text == "errno=0\n\n" else { throw .unreadable(program: path, output: text) }
    }

    private func connect() throws(LabError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let fd = socket(AF_UNIX, type, 0)
        guard fd >= 0 else { throw .system(call: "opening a socket", errno: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else {
            let error = errno
            close(fd)
            throw .system(call: "connecting to \(path)", errno: error)
        }
        return fd
    }
}
