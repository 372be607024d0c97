import ControlProtocol
import Glibc

// Counting what clients use.
extension ControlService {
    /// Adds up what bondd has carried, every `seconds` until `stop`, and once more then.
    public func count(every seconds: Double = 5) {
        var run: String?
        var next = ContinuousClock.now
        var lastPruned = currentTime()
        while goesOn {
            if .now >= next {
                next = .now + .seconds(seconds)
                run = poll(after: run)
                // Also by a clock that was set back.
                if abs(currentTime() - lastPruned) > 3600 {
                    lastPruned = currentTime()
                    if (try? prune()) == true { handOver() }
                }
            }
            awaitBondd()
            // As long as `stop` takes at the most.
            usleep(UInt32(min(seconds, 0.1) * 1_000_000))
        }
        _ = poll(after: run)
    }

    /// - Parameter run: bondd's run at the last poll.
    /// - Returns: its run now; nil when it does not answer.
    func poll(after run: String?) -> String? {
        guard let report = try? ControlClient.get(.usage, path: socket, timeout: 1000) else {
            return nil
        }
        do {
            if report.run != run {
                // A bondd that was restarted between two questions of the other thread has not been told since.
                forgetAgreement()
                if run != nil { handOver() }
                if let status = try? ControlClient.get(.status, path: socket, timeout: 1000),
                    let key = status.publicKey
                {
                    try store.setServerKey(key)
                }
            }
            let current = current
            if let digest = report.configuration,
                digest != current.bonddDigest || digest != current.text?.digest
            {
                follow()
            }
            if !bonddIsCurrent { handOver() }
            try store.add(report, now: currentTime())
        } catch {
            log(.error, "what clients used is not counted now, but later: \(error)")
        }
        return report.run
    }
}
