import Dispatch
import Synchronization

/// The single thread that starts all child processes, and lives as long as the process.
///
/// PR_SET_PDEATHSIG kills a child when the thread that created it ends. Dispatch and Swift's task pool end idle
/// threads at will: a child created on one of them would die without reason.
final class Spawner: Sendable {
    static let shared = Spawner()

    private struct Job: Sendable {
        let body: @Sendable () -> Void
        let done = DispatchSemaphore(value: 0)
    }

    private let jobs = Mutex<[Job]>([])
    private let arrived = DispatchSemaphore(value: 0)
    private let isRunning = Mutex(false)

    /// Runs `body` on the thread and waits until it is done.
    func perform(_ body: @escaping @Sendable () -> Void) throws(LabError) {
        try isRunning.withLock { (isRunning: inout Bool) throws(LabError) in
            if isRunning { return }
            _ = try PosixThread.start(name: "lab-spawner") { self.run() }
            isRunning = true
        }
        let job = Job(body: body)
        jobs.withLock { $0.append(job) }
        arrived.signal()
        job.done.wait()
    }

    private func run() {
        while true {
            arrived.wait()
            let job = jobs.withLock { $0.removeFirst() }
            job.body()
            job.done.signal()
        }
    }
}
