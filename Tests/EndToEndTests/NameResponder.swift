import Glibc
import Lab
import Synchronization

/// A name server in a namespace, which answers every query for an IPv4 address with 198.51.100.1, and, like an
/// internet provider's, only to some clients.
final class NameResponder: Sendable {
    private let socket: Int32
    private let clients: [String]
    private let refuses: Bool
    private let isOver = Mutex(false)

    /// - Parameters:
    ///   - clients: the clients that it serves.
    ///   - refuses: whether others get a refusal; otherwise they get no answer.
    init(in host: Namespace, at address: String, serving clients: [String], refuses: Bool = false) {
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = host.inside { Glibc.socket(AF_INET, kind, 0) }
        socket = descriptor
        TCPProbe.with(address, 53) { precondition(bind(descriptor, $0, $1) == 0) }
        // So that it ends on request.
        var patience = timeval(tv_sec: 0, tv_usec: 100_000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        self.clients = clients
        self.refuses = refuses
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { held in
                Unmanaged<NameResponder>.fromOpaque(held!).takeRetainedValue().serve()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        precondition(code == 0)
        pthread_detach(thread)
    }

    func stop() { isOver.withLock { $0 = true } }

    private func serve() {
        while !isOver.withLock({ $0 }) {
            var (question, asker) = ([UInt8](repeating: 0, count: 512), sockaddr_storage())
            var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let count = withUnsafeMutableBytes(of: &asker) {
                recvfrom(
                    socket, &question, question.count, 0,
                    $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &size)
            }
            guard count > 16 else { continue }
            let isServed = clients.contains(TCPProbe.host(&asker))
            guard isServed || refuses else { continue }
            var at = 12
            while at < count - 5, question[at] != 0 { at += Int(question[at]) + 1 }
            let isAddress = question[at + 1] == 0 && question[at + 2] == 1
            let answers: UInt8 = isServed && isAddress ? 1 : 0
            var answer = question[..<2] + [0x81, isServed ? 0x80 : 0x85, 0, 1, 0, answers, 0, 0, 0, 0]
            answer += question[12..<at + 5]
            if answers == 1 { answer += [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 198, 51, 100, 1] }
            let bytes = Array(answer)
            _ = withUnsafeBytes(of: asker) {
                sendto(
                    socket, bytes, bytes.count, 0, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                    size)
            }
        }
        close(socket)
    }
}
