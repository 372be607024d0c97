import CLinux
// SOCK_DGRAM comes from whichever of these the compiler loads first.
import CNetlink
import Glibc
import Packet
import Runtime
import Settings
import Synchronization

/// Resolves server names on its own threads, as getaddrinfo may take half a minute, and delivers the results
/// through a mailbox that epoll can watch. While a tunnel takes all traffic, getaddrinfo's queries go into it;
/// those over the uplinks never do.
package final class Resolver: Sendable {
    /// The result of `resolve`.
    package struct Resolution: Hashable, Sendable {
        /// The name that was resolved.
        package let name: HostPort
        /// The endpoints in the order of RFC 6724; empty if there are none.
        package let endpoints: [Endpoint]
        /// One sentence on why there are none; nil if there are some.
        package let problem: String?

        /// The result for a name.
        package init(name: HostPort, endpoints: [Endpoint], problem: String?) {
            (self.name, self.endpoints, self.problem) = (name, endpoints, problem)
        }
    }

    /// The NAT64 prefix of an uplink's network.
    package struct Translation: Hashable, Sendable {
        /// The index of the uplink's interface.
        package let interface: UInt32
        /// The prefix; nil if the uplink's name servers know none.
        package let translator: NAT64?
    }

    /// Maximum number of threads for each of the two kinds of lookup; further names wait.
    package static let maximumThreads = 4

    /// A lookup.
    private enum Question: Hashable {
        /// A name, by getaddrinfo.
        case host(HostPort)
        /// A name, by DNS over the uplinks.
        case uplinks(HostPort, [NameWay])
        /// An uplink's prefix for IPv4 (RFC 7050).
        case translator(NameWay)

        /// Whether both look up the same thing.
        func isSame(as other: Question) -> Bool {
            switch (self, other) {
            case (.host(let one), .host(let other)): one == other
            case (.uplinks(let one, _), .uplinks(let other, _)): one == other
            case (.translator(let one), .translator(let other)): one.index == other.index
            default: false
            }
        }
    }

    private struct State {
        /// One for getaddrinfo and one for the uplinks: the former may block for long, which must not delay the
        /// latter.
        var queues = [Queue(), Queue()]
        var done: [Resolution] = []
        var translations: [Translation] = []
    }

    private struct Queue {
        var waiting: [Question] = []
        var running: [Question] = []
        var threads = 0

        mutating func next(after last: Question?) -> Question? {
            if let last { running.removeAll { $0 == last } }
            if waiting.isEmpty {
                threads -= 1
                return nil
            }
            let question = waiting.removeFirst()
            running.append(question)
            return question
        }
    }

    /// Readable when there are results to `take`; nonblocking and close-on-exec.
    package var fileDescriptor: Int32 { event.fileDescriptor }

    private let event: EventFD
    private let state = Mutex(State())

    /// - Throws: `HostError.file` if no eventfd can be created.
    package init() throws(HostError) {
        do throws(RuntimeError) {
            event = try EventFD()
        } catch {
            throw .file("open", path: "an eventfd", errno: error.code)
        }
    }

    /// Starts resolving `name`; `take` returns the result. An address resolves to itself. A name that is
    /// already being resolved is not queried twice.
    package func resolve(_ name: HostPort) {
        if let endpoint = name.endpoint {
            finish(Resolution(name: name, endpoints: [endpoint], problem: nil))
            return
        }
        begin(.host(name), queue: 0)
    }

    /// Starts resolving `name` over each of the uplinks; `take` returns one result for all of them.
    package func resolve(_ name: HostPort, by ways: [NameWay]) { begin(.uplinks(name, ways), queue: 1) }

    /// Starts discovering the NAT64 prefix of an uplink's network (RFC 7050); `takeTranslations` returns it.
    package func findTranslator(of way: NameWay) { begin(.translator(way), queue: 1) }

    private func begin(_ question: Question, queue: Int) {
        let needsThread = state.withLock { state in
            let known = state.queues[queue].waiting + state.queues[queue].running
            guard !known.contains(where: question.isSame) else { return false }
            state.queues[queue].waiting.append(question)
            guard state.queues[queue].threads < Self.maximumThreads else { return false }
            state.queues[queue].threads += 1
            return true
        }
        guard needsThread else { return }
        do throws(RuntimeError) {
            try Thread.detach(name: "resolver") { [self] in work(queue) }
        } catch {
            state.withLock { $0.queues[queue].threads -= 1 }
            let reason = error.description
            while let question = state.withLock({ $0.queues[queue].waiting.popLast() }) {
                fail(question, reason)
            }
        }
    }

    private func fail(_ question: Question, _ reason: String) {
        switch question {
        case .host(let name), .uplinks(let name, _):
            finish(Resolution(name: name, endpoints: [], problem: "could not resolve \(name): \(reason)"))
        case .translator(let way): finish(Translation(interface: way.index, translator: nil))
        }
    }

    /// The results since the last call.
    package func take() -> [Resolution] {
        event.clear()
        return state.withLock { state in
            defer { state.done = [] }
            return state.done
        }
    }

    /// The uplinks' prefixes found since the last call.
    package func takeTranslations() -> [Translation] {
        state.withLock { state in
            defer { state.translations = [] }
            return state.translations
        }
    }

    private func finish(_ resolution: Resolution) {
        state.withLock { $0.done.append(resolution) }
        event.signal()
    }

    private func finish(_ translation: Translation) {
        state.withLock { $0.translations.append(translation) }
        event.signal()
    }

    /// Handles one lookup after another until the queue is empty.
    private func work(_ queue: Int) {
        var last: Question?
        while let question = state.withLock({ $0.queues[queue].next(after: last) }) {
            switch question {
            case .host(let name): finish(Self.look(name))
            case .uplinks(let name, let ways): finish(Self.ask(name, by: ways))
            case .translator(let way):
                let answers = NameSearch.addresses(of: NAT64.probeName, [.ipv6], by: [way])
                finish(
                    Translation(
                        interface: way.index, translator: NAT64(probing: answers.flatMap { $0 })))
            }
            last = question
        }
    }

    /// Queries over the uplinks and waits for the result.
    private static func ask(_ name: HostPort, by ways: [NameWay]) -> Resolution {
        let addresses = NameSearch.addresses(of: name.host, by: ways).flatMap { $0 }
        var endpoints: [Endpoint] = []
        for address in addresses {
            let endpoint = Endpoint(address: address, port: name.port)
            if !endpoints.contains(endpoint) { endpoints.append(endpoint) }
        }
        let problem =
            endpoints.isEmpty
            ? "no name server that the uplinks reach knows \(name.host); check the name and this host's DNS"
            : nil
        return Resolution(name: name, endpoints: endpoints, problem: problem)
    }

    /// Calls getaddrinfo and waits for the result.
    private static func look(_ name: HostPort) -> Resolution {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name.host, nil, &hints, &list)
        defer { if code == 0 { freeaddrinfo(list) } }
        guard code == 0 else {
            let reason = String(cString: gai_strerror(code))
            return Resolution(name: name, endpoints: [], problem: "could not resolve \(name.host): \(reason)")
        }
        var endpoints: [Endpoint] = []
        var entry = list
        while let info = entry?.pointee {
            entry = info.ai_next
            let bytes = UnsafeRawBufferPointer(start: info.ai_addr, count: Int(info.ai_addrlen))
            let address: IPAddress
            switch info.ai_family {
            case AF_INET where bytes.count >= 8: address = IPAddress(.v4, bytes: bytes.dropping(4))
            case AF_INET6 where bytes.count >= 24: address = IPAddress(.v6, bytes: bytes.dropping(8))
            default: continue
            }
            let endpoint = Endpoint(address: address, port: name.port)
            if !endpoints.contains(endpoint) { endpoints.append(endpoint) }
        }
        let problem = endpoints.isEmpty ? "\(name.host) has no address; correct the name" : nil
        return Resolution(name: name, endpoints: endpoints, problem: problem)
    }
}
