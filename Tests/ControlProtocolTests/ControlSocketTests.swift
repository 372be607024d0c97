import Glibc
import TestSupport
import Testing

@testable import ControlProtocol

@Suite struct ControlSocketTests {
    let directory = TemporaryDirectory()
    var path: String { directory.path + "/bondd.sock" }

    /// A client that sends and receives exactly what a test wants.
    struct Peer: ~Copyable {
        let descriptor: Int32

        init(_ path: String) throws {
            let address = try UnixAddress(path)
            descriptor = try UnixAddress.open(blocking: false)
            #expect(address.call(connect, descriptor) == 0)
        }

        deinit { close(descriptor) }

        /// Sends text; returns the number of bytes accepted by the kernel.
        @discardableResult
        func say(_ bytes: [UInt8]) -> Int { send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

        @discardableResult
        func say(_ text: String) -> Int { say(Array(text.utf8)) }

        /// The data available now; nil at the end.
        func hear() -> String? {
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count > 0 { return String(decoding: bytes[..<count], as: UTF8.self) }
            return count < 0 && errno == EAGAIN ? "" : nil
        }
    }

    static let statusLine = "{\"do\":\"status\"}\n"

    @Test func requestsAreAnsweredInOrder() throws {
        var socket = try ControlSocket<Request, Response>(path: path)
        let peer = try Peer(path)
        // Three at once: the next is passed on once the previous one has been answered.
        peer.say("{\"do\":\"set\",\"key\":\"mode\",\"value\":\"a\"}\n{\"do\":\"reload\"}\n{\"do\":\"sta")
        var calls = socket.takeRequests() + socket.takeRequests()
        #expect(calls.map(\.request) == [.set(key: "mode", value: "a")])
        #expect(socket.takeRequests().isEmpty && peer.hear() == "")
        socket.reply(.ok, to: calls[0].client)
        #expect(peer.hear() == "{\"ok\":true}\n")
        calls = socket.takeRequests()
        #expect(calls.map(\.request) == [.reload])
        socket.reply(.failed("no"), to: calls[0].client)
        #expect(peer.hear() == "{\"error\":\"no\",\"ok\":false}\n")
        #expect(socket.takeRequests().isEmpty)
        peer.say("tus\"}\n")
        #expect(socket.takeRequests().map(\.request) == [.status])
    }

    @Test func theSocketIsForItsOwnerAndGoesWithTheValue() throws {
        do {
            let socket = try ControlSocket<Request, Response>(path: directory.path + "/sub/bondd.sock")
            #expect(socket.fileDescriptor >= 0)
            #expect(directory.mode(of: "sub/bondd.sock") == 0o600)
            #expect(directory.mode(of: "sub") == 0o755)
        }
        #expect(directory.mode(of: "sub/bondd.sock") == 0)
    }

    @Test func whatASystemServiceListensOnIsForItsGroupToo() throws {
        let socket = try ListeningSocket(path: directory.path + "/sub/bondd.sock", group: getegid())
        #expect(socket.fileDescriptor >= 0)
        #expect(directory.mode(of: "sub/bondd.sock") == 0o660)
        #expect(directory.mode(of: "sub") == 0o750)
    }

    @Test func nonsenseIsAnsweredHere() throws {
        var socket = try ControlSocket<Request, Response>(path: path)
        let peer = try Peer(path)
        for line in ["\n", "{}\n", "{\"do\":\"dance\"}\n", "\u{0}\u{1}\n"] {
            peer.say(line)
            #expect((socket.takeRequests() + socket.takeRequests()).isEmpty)
            #expect(
                peer.hear()
                    == "{\"error\":\"this is not a request that bondd knows; see bondd --help\",\"ok\":false}\n"
            )
        }
        #expect(socket.clientCount == 1)
    }

    @Test func anOverlongLineEndsTheClient() throws {
        var socket = try ControlSocket<Request, Response>(path: path)
        let peer = try Peer(path)
        let line = [UInt8](
            repeating: 0x20,
            count: ControlSocket<Request, Response>.maximumRequest - Self.statusLine.utf8.count)
        // Exactly as long as allowed.
        var rest = (line + Array(Self.statusLine.utf8))[...]
        var calls: [ControlSocket<Request, Response>.Call] = []
        while !rest.isEmpty {
            rest = rest.dropFirst(max(0, peer.say(Array(rest))))
            calls += socket.takeRequests()
        }
        calls += socket.takeRequests()
        #expect(calls.map(\.request) == [.status])
        socket.reply(.ok, to: try #require(calls.first).client)
        #expect(peer.hear() == "{\"ok\":true}\n")
        // One byte more; the client never stops.
        for _ in 0..<1000 where socket.clientCount == 1 {
            peer.say(line)
            #expect(socket.takeRequests().isEmpty)
        }
        #expect(socket.clientCount == 0)
        #expect(
            peer.hear()
                == "{\"error\":\"the request is longer than 16777216 bytes; send a shorter one\",\"ok\":false}\n"
        )
    }

    @Test func aSlowClientHoldsNobodyUp() throws {
        var socket = try ControlSocket<Request, Response>(path: path)
        let slow = try Peer(path)
        let quick = try Peer(path)
        slow.say(Self.statusLine)
        var calls = socket.takeRequests() + socket.takeRequests()
        try #require(calls.count == 1)
        // More than fits into any socket buffer.
        let large = String(repeating: "x", count: 4 << 20)
        socket.reply(.failed(large), to: calls[0].client)
        for _ in 0..<20 {
            quick.say(Self.statusLine)
            slow.say(Self.statusLine)
            calls = socket.takeRequests()
            try #require(calls.count == 1, "the slow one must take its answer first")
            socket.reply(.ok, to: calls[0].client)
            #expect(quick.hear() == "{\"ok\":true}\n")
        }
        // Now it reads: its answer arrives complete, then its next request is processed.
        var heard = ""
        for _ in 0..<10_000 where !heard.hasSuffix("\n") {
            heard += slow.hear() ?? ""
            calls = socket.takeRequests()
        }
        #expect(heard.utf8.count == large.utf8.count + "{\"error\":\"\",\"ok\":false}\n".utf8.count)
        calls += socket.takeRequests()
        #expect(calls.map(\.request) == [.status])
    }

    @Test func theSeventeenthIsToldSo() throws {
        var socket = try ControlSocket<Request, Response>(path: path)
        var descriptors: [Int32] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        let address = try UnixAddress(path)
        for _ in 0..<ControlSocket<Request, Response>.maximumClients {
            descriptors.append(try UnixAddress.open(blocking: false))
            #expect(address.call(connect, descriptors.last!) == 0)
            _ = socket.takeRequests()
        }
        #expect(socket.clientCount == 16)
        do {
            let late = try Peer(path)
            #expect(socket.takeRequests().isEmpty)
            #expect(
                late.hear()
                    == "{\"error\":\"bondd already serves the maximum of 16 programs; close one of them\",\"ok\":false}\n"
            )
            #expect(late.hear() == nil && socket.clientCount == 16)
        }
        close(descriptors.removeLast())
        _ = socket.takeRequests()
        #expect(socket.clientCount == 15)
        let next = try Peer(path)
        next.say(Self.statusLine)
        #expect((socket.takeRequests() + socket.takeRequests()).count == 1)
    }

    @Test func clientsThatLeaveAreForgotten() throws {
        var socket = try ControlSocket<Request, Response>(path: path)
        var call: ControlSocket<Request, Response>.Call?
        do {
            let peer = try Peer(path)
            peer.say(Self.statusLine)
            call = (socket.takeRequests() + socket.takeRequests()).first
        }
        let gone = try #require(call).client
        #expect(socket.takeRequests().isEmpty && socket.clientCount == 0)
        socket.reply(.ok, to: gone)
        // Half a request, then the connection is closed.
        do {
            let peer = try Peer(path)
            peer.say("{\"do\"")
            _ = socket.takeRequests()
        }
        #expect((socket.takeRequests() + socket.takeRequests()).isEmpty && socket.clientCount == 0)
        // The client leaves before its request is read: it is processed nevertheless.
        do { try Peer(path).say("{\"do\":\"reload\"}\n") }
        #expect((socket.takeRequests() + socket.takeRequests()).map(\.request) == [.reload])
    }

    @Test func theDescriptorTellsWhenThereIsSomethingToDo() throws {
        var socket = try ControlSocket<Request, Response>(path: path)
        func isReadable() -> Bool {
            var watched = pollfd(fd: socket.fileDescriptor, events: Int16(POLLIN), revents: 0)
            return poll(&watched, 1, 0) == 1
        }
        #expect(!isReadable())
        let peer = try Peer(path)
        #expect(isReadable())
        _ = socket.takeRequests()
        #expect(!isReadable())
        peer.say(Self.statusLine + Self.statusLine)
        #expect(isReadable())
        let calls = socket.takeRequests()
        #expect(!isReadable(), "the second request waits for the first one's answer")
        socket.reply(.ok, to: calls[0].client)
        #expect(isReadable())
    }

    // MARK: Who has the path

    @Test func aDeadDaemonsSocketIsReplaced() throws {
        let address = try UnixAddress(path)
        let dead = try UnixAddress.open(blocking: false)
        #expect(address.call(bind, dead) == 0)
        close(dead)
        #expect(directory.mode(of: "bondd.sock") != 0)
        var socket = try ControlSocket<Request, Response>(path: path)
        try Peer(path).say(Self.statusLine)
        #expect((socket.takeRequests() + socket.takeRequests()).count == 1)
    }

    @Test func aLivingDaemonsSocketIsNot() throws {
        var socket = try ControlSocket<Request, Response>(path: path)
        #expect(throws: SocketError.alreadyRunning(path: path)) {
            _ = try ControlSocket<Request, Response>(path: path)
        }
        try Peer(path).say(Self.statusLine)
        _ = socket.takeRequests()
        #expect(socket.takeRequests().count == 1, "the first one still answers")
    }

    /// Another user's socket, file or directory in the daemon's place does not prevent its start.
    @Test(
        .enabled(if: geteuid() == 0, "needs root"),
        arguments: ["socket", "dead", "file", "link", "directory"])
    func anImpostorGivesWay(_ kind: String) throws {
        var listener: Int32 = -1
        defer { if listener >= 0 { close(listener) } }
        switch kind {
        case "socket", "dead":
            let address = try UnixAddress(path)
            listener = try UnixAddress.open(blocking: false)
            #expect(address.call(bind, listener) == 0)
        case "file": directory.file("bondd.sock", "")
        case "link": symlink("/nowhere", path)
        default: mkdir(path, 0o755)
        }
        lchown(path, 4242, 4242)
        var socket = try ControlSocket<Request, Response>(path: path)
        try Peer(path).say(Self.statusLine)
        #expect((socket.takeRequests() + socket.takeRequests()).map(\.peer.user) == [0])
    }

    /// bondd-control's socket has its own directory, and a name next to bondd's.
    @Test func whereTheGatewayAnswers() throws {
        #expect(ControlServicePath.own(of: "/run/bondd/bondd.sock") == "/run/bondd/control/control.sock")
        #expect(ControlServicePath.alias(of: "/run/bondd/bondd.sock") == "/run/bondd/control.sock")
        #expect(ControlServicePath.own(of: "/run/bondd/bond1.sock") == "/run/bondd/control/bond1.sock")
        #expect(ControlServicePath.alias(of: "/run/bondd/bond1.sock") == nil)
        #expect(ControlServicePath.own(of: "bondd.sock") == "control/control.sock")
        // Without the directory an earlier version may be running.
        #expect(ControlServicePath.asked(of: path) == directory.path + "/control.sock")
        let own = ControlServicePath.own(of: path)
        do {
            let socket = try ControlSocket<Request, Response>(path: own)
            ControlServicePath.makeAlias(of: path)
            #expect(socket.clientCount == 0 && ControlServicePath.asked(of: path) == own)
            #expect(directory.mode(of: "control.sock") == 0o600)
            _ = try Peer(directory.path + "/control.sock")
        }
        #expect(directory.mode(of: "control.sock") == 0)
        // A leftover of an earlier version is replaced, a live socket is not.
        unlink(directory.path + "/control.sock")
        var address = try UnixAddress(directory.path + "/control.sock")
        let old = try UnixAddress.open(blocking: false)
        #expect(address.call(bind, old) == 0 && listen(old, 1) == 0)
        ControlServicePath.makeAlias(of: path)
        var facts = stat()
        #expect(lstat(address.path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFSOCK)
        close(old)
        ControlServicePath.makeAlias(of: path)
        #expect(lstat(address.path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFLNK)
        address = try UnixAddress(path)
        rmdir(directory.path + "/control")
    }

    @Test func otherFilesAreLeftAlone() throws {
        directory.file("bondd.sock", "precious")
        #expect(throws: SocketError.notASocket(path: path)) {
            _ = try ControlSocket<Request, Response>(path: path)
        }
        #expect(directory.mode(of: "bondd.sock") == 0o600)
        let long = directory.path + "/" + String(repeating: "x", count: 100)
        #expect(throws: SocketError.socketPathTooLong(path: long)) {
            _ = try ControlSocket<Request, Response>(path: long)
        }
        let nowhere = directory.path + "/a/b/c"
        #expect(throws: SocketError.self) { _ = try ControlSocket<Request, Response>(path: nowhere) }
    }

    // MARK: The client

    @Test func theClientGetsItsAnswer() throws {
        let socket = try ControlSocket<Request, Response>(path: path)
        let answer = try serve(socket, 1) { try ControlClient.ask(.reload, path: path) }
        #expect(answer == .failed("reload"))
    }

    @Test func theClientSaysWhyThereIsNoAnswer() throws {
        #expect(throws: SocketError.notRunning(path: path)) { try ControlClient.ask(.status, path: path) }
        directory.file("file", "")
        #expect(throws: SocketError.notRunning(path: directory.path + "/file")) {
            try ControlClient.ask(.status, path: directory.path + "/file")
        }
        let silent = try ControlSocket<Request, Response>(path: path)
        #expect(throws: SocketError.timedOut(path: path)) {
            try ControlClient.ask(.status, path: path, timeout: 50)
        }
        _ = consume silent
        #expect(throws: SocketError.notRunning(path: path)) { try ControlClient.ask(.status, path: path) }
        #expect(
            SocketError.notRunning(path: "/run/bondd/bondd.sock").description
                == "no bondd answers on /run/bondd/bondd.sock; start it (systemctl start bondd, or bondd run without systemd) or name its socket with --socket"
        )
    }

    /// Answers `count` requests on another thread while `body` runs.
    private func serve<Result>(
        _ socket: consuming ControlSocket<Request, Response>, _ count: Int, _ body: () throws -> Result
    ) throws -> Result {
        let box = Unmanaged.passRetained(Server(socket, count))
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { held in
                let box = Unmanaged<Server>.fromOpaque(held!).takeRetainedValue()
                var answered = 0
                while answered < box.count {
                    var watched = pollfd(fd: box.socket.fileDescriptor, events: Int16(POLLIN), revents: 0)
                    guard poll(&watched, 1, 5000) == 1 else { break }
                    for call in box.socket.takeRequests() {
                        box.socket.reply(.failed("\(call.request)"), to: call.client)
                        answered += 1
                    }
                }
                return nil
            }, box.toOpaque())
        defer { pthread_join(thread, nil) }
        return try body()
    }
}

/// A socket on another thread.
private final class Server {
    var socket: ControlSocket<Request, Response>
    let count: Int

    init(_ socket: consuming ControlSocket<Request, Response>, _ count: Int) {
        self.socket = socket
        self.count = count
    }
}
