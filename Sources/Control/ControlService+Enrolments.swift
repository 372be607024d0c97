import ControlProtocol
import Glibc
import Proto

// Letting clients in.
extension ControlService {
    /// Waits for enrolments, and settles them, until `stop`. bondd is handed all clients whenever it appears.
    public func letIn() {
        var isTold = false
        while goesOn {
            guard handOver(waits: true) else {
                usleep(300_000)
                continue
            }
            // What it could not be told of it is told of again.
            while goesOn && bonddIsCurrent {
                // bondd answers after 20 s at the latest.
                guard let answer = try? ControlClient.ask(.awaitEnrolments, path: socket, timeout: 30_000)
                else { break }
                switch answer {
                case .enrolments(let enrolments): settle(enrolments)
                case .failed(let sentence):
                    if !isTold { log(.error, "bondd lets nobody enrol: \(sentence)") }
                    isTold = true
                    sleep(2)
                default: sleep(1)
                }
            }
            forgetAgreement()
            // A bondd that is gone at once, as it is being restarted, is not asked in a circle.
            usleep(100_000)
        }
    }

    /// Stores the clients, hands them over, and only then says so.
    func settle(_ enrolments: [Enrolment]) {
        var outcomes: [(Enrolment, EnrolOutcome)] = []
        for enrolment in enrolments {
            do {
                let outcome = try store.enrol(enrolment, plan: currentPlan, now: currentTime())
                outcomes.append((enrolment, outcome))
            } catch {
                log(.error, "nobody can enrol: \(error)")
                outcomes.append((enrolment, .unavailable))
            }
        }
        if outcomes.contains(where: { $0.1 == .stored }) && !handOver() {
            // bondd does not know them; they ask again.
            outcomes = outcomes.map { ($0.0, $0.1 == .stored ? .unavailable : $0.1) }
        }
        for (enrolment, outcome) in outcomes {
            log(
                .info, "somebody wants to enrol",
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
