import Glibc
import Runtime
import Synchronization
import Testing

/// Threads, and how they exchange messages.
@Suite struct ThreadTests {
    private final class Box<Value: Sendable>: Sendable {
        let value: Mutex<Value>
        init(_ value: Value) { self.value = Mutex(value) }
    }

    @Test func aThreadHasItsNameAndIsJoined() throws {
        let name = Box("")
        let thread = try Thread.start(name: "a name") {
            let text = try? TextFile.read("/proc/thread-self/comm", limit: 64)
            name.value.withLock { $0 = text ?? "" }
        }
        thread.join()
        #expect(name.value.withLock { $0 } == "a name\n")
    }

    /// A signal that ends the program is for the main thread, a fault for the thread that has it.
    @Test func aThreadTakesNoSignalsButItsFaults() throws {
        let blocked = Box<[Bool]>([])
        let thread = try Thread.start(name: "signals") {
            var mask = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            let found = [SIGTERM, SIGINT, SIGPIPE, SIGSEGV, SIGILL].map { sigismember(&mask, $0) == 1 }
            blocked.value.withLock { $0 = found }
        }
        thread.join()
        #expect(blocked.value.withLock { $0 } == [true, true, true, false, false])
        var mask = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &mask)
        #expect(sigismember(&mask, SIGPIPE) == 0, "the caller's mask is as it was")
    }

    private struct Countdown: ThreadLoop, ~Copyable {
        var count: Int
        let ended: Box<[String]>

        mutating func run() {
            while count > 0 { count -= 1 }
            let rest = count
            ended.value.withLock { $0.append("ran to \(rest)") }
        }

        deinit { ended.value.withLock { $0.append("destroyed") } }
    }

    @Test func aThreadOwnsItsLoopAndDestroysIt() throws {
        let ended = Box<[String]>([])
        let thread = try Thread.start(name: "loop", Countdown(count: 1000, ended: ended))
        #expect(thread.join(milliseconds: 10_000))
        #expect(ended.value.withLock { $0 } == ["ran to 0", "destroyed"])
    }

    @Test func joiningGivesUpOnAThreadThatGoesOn() throws {
        let box = Box(false)
        let thread = try Thread.start(name: "slow") {
            while !box.value.withLock({ $0 }) { usleep(1000) }
        }
        #expect(!thread.join(milliseconds: 20))
        box.value.withLock { $0 = true }
        #expect(thread.join(milliseconds: 10_000))
    }

    @Test func aBackgroundTaskHasItsOutcomeAfterTheWait() {
        let task = BackgroundTask(name: "task") { () -> Int in
            usleep(1000)
            return 7
        }
        task.wait()
        #expect(task.outcome == 7)
    }

    /// Messages arrive once each and in order, from however many threads they come.
    @Test func aMailboxLosesNothingAndKeepsTheOrderOfEachThread() throws {
        let mailbox = try Mailbox<(thread: Int, number: Int)>()
        let threads = try (0..<4).map { index in
            try Thread.start(name: "post \(index)") {
                for number in 0..<500 { mailbox.post((index, number)) }
            }
        }
        var seen = [[Int]](repeating: [], count: 4)
        while seen.joined().count < 2000 {
            var watched = pollfd(fd: mailbox.fileDescriptor, events: Int16(POLLIN), revents: 0)
            try #require(poll(&watched, 1, 10_000) == 1)
            for message in mailbox.take() { seen[message.thread].append(message.number) }
        }
        for thread in threads { thread.join() }
        #expect(seen.allSatisfy { $0 == Array(0..<500) })
        var watched = pollfd(fd: mailbox.fileDescriptor, events: Int16(POLLIN), revents: 0)
        #expect(poll(&watched, 1, 0) == 0 || mailbox.take().isEmpty)
    }

    @Test func aClosedMailboxTakesNothingMore() throws {
        let mailbox = try Mailbox<Int>()
        #expect(mailbox.post(1))
        #expect(mailbox.close() == [1])
        #expect(!mailbox.post(2))
        #expect(mailbox.take().isEmpty)
    }

    @Test func aLockWakesTheThreadThatWaits() throws {
        let lock = Lock()
        let box = Box(0)
        let thread = try Thread.start(name: "waits") {
            lock.locked { while box.value.withLock({ $0 }) == 0 { lock.wait() } }
        }
        usleep(2000)
        lock.locked {
            box.value.withLock { $0 = 1 }
            lock.announce()
        }
        #expect(thread.join(milliseconds: 10_000))
    }
}
