import ControlProtocol
import Packet
import Proto

// Clients that want to enrol, between the Engine and bondd-control.
extension Daemon {
    /// bondd-control has settled an enrolment, or could not.
    mutating func settle(_ id: Int, _ outcome: EnrolOutcome) -> Response {
        if let wish = enrolments.settle(id), case .server(let server) = side {
            server.tell(wish, outcome)
        }
        return .ok
    }

    /// Passes new enrolments on to bondd-control, and refuses those that it does not settle.
    mutating func attendEnrolments(now: Instant) {
        if case .server(let server) = side {
            for wish in enrolments.takeForsaken(now: now) { server.tell(wish, .unavailable) }
        }
        if let (client, waiting) = enrolments.answer(now: now) {
            shared.control.reply(.enrolments(waiting), to: client)
        }
    }
}
