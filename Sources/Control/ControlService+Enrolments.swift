import ControlProtocol
import Glibc
import Proto

// Enrolment of clients.
extension ControlService {
    /// Waits for enrolments and processes them until `stop`. Hands bondd all clients whenever it appears.
    package func letIn() {
        var isTold = false
        while goesOn {
            guard handOver(waits: true) else {
                usleep(300_000)
                continue
            }
            // Ends after a failed handover, which the outer loop repeats.
            while goesOn && bonddIsCurrent {
                // bondd answers within 20 s.
                guard let answer = try? ControlClient.ask(.awaitEnrolments, path: socket, timeout: 30_000)
                else { break }
                switch answer {
                case .enrolments(let enrolments): settle(enrolments)
                case .failed(let sentence):
                    if !isTold { log(.error, "bondd does not accept enrolments: \(sentence)") }
                    isTold = true
                    sleep(2)
                default: sleep(1)
                }
            }
            forgetAgreement()
            // Avoids a busy loop while bondd is being restarted.
            usleep(100_000)
        }
    }

    /// Stores the clients, hands them over, and only then confirms them.
    func settle(_ enrolments: [Enrolment]) {
        var outcomes: [(Enrolment, EnrolOutcome)] = []
        for enrolment in enrolments {
            do {
                let outcome = try store.enrol(enrolment, plan: currentPlan, now: currentTime())
                outcomes.append((enrolment, outcome))
            } catch {
                log(.error, "clients cannot enrol: \(error)")
                outcomes.append((enrolment, .unavailable))
            }
        }
        if outcomes.contains(where: { $0.1 == .stored }) && !handOver() {
            // bondd does not have them yet; the clients will ask again.
            outcomes = outcomes.map { ($0.0, $0.1 == .stored ? .unavailable : $0.1) }
        }
        for (enrolment, outcome) in outcomes {
            log(
                .info, "enrolment requested",
                [
                    "outcome": outcome.word, "host": String(enrolment.host.prefix(63)),
                    "public_key": enrolment.publicKey,
                ])
            let answer = try? ControlClient.ask(.settle(id: enrolment.id, outcome: outcome), path: socket)
            if case .failed(let sentence)? = answer {
                log(.warning, "an enrolment could not be settled: \(sentence)")
            }
        }
    }
}
