import ControlProtocol
import Glibc

// Accounting of clients' usage.
extension ControlService {
    /// Adds up the traffic that bondd has carried, every `seconds` until `stop`, and once more then.
    package func count(every seconds: Double = 5) {
        var run: String?
        var next = ContinuousClock.now
        var lastPruned = currentTime()
        while goesOn {
            if .now >= next {
                next = .now + .seconds(seconds)
                run = poll(after: run)
                // Also if the clock was set back.
                if abs(currentTime() - lastPruned) > 3600 {
                    lastPruned = currentTime()
                    if (try? prune()) == true { handOver() }
                }
            }
            awaitBondd()
            // At most as long as `stop` may take.
            usleep(UInt32(min(seconds, 0.1) * 1_000_000))
        }
        _ = poll(after: run)
    }

    /// - Parameter run: bondd's run at the last poll.
    /// - Returns: its current run; nil if it does not answer.
    func poll(after run: String?) -> String? {
        guard let report = try? ControlClient.get(.usage, path: socket, timeout: 1000) else {
            return nil
        }
        do {
            if report.run != run {
                // If bondd was restarted between two requests of the other thread, it has no clients yet.
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
            log(.error, "usage cannot be recorded now and will be recorded later: \(error)")
        }
        return report.run
    }
}
