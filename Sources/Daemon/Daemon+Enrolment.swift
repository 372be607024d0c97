import ControlProtocol
import Packet
import Proto

// Clients that want to enrol, between the Engine and bondd-control.
extension Daemon {
    /// A client with an invitation wants to enrol.
    mutating func enrol(_ invitation: String, _ key: PublicKey, host: String, now: Instant) {
        guard let id = Int(invitation.split(separator: " ").last ?? "") else { return }
        enrolments.note(invitation: id, key: key, host: host, now: now)
    }

    /// bondd-control has settled an enrolment, or can't.
    mutating func settle(_ id: Int, _ outcome: EnrolmentOutcome) -> ControlProtocol.Response {
        if let wish = enrolments.settle(id), case .server(let server) = side {
            server.tell(wish, EnrolOutcome(outcome))
        }
        return .ok
    }

    /// Passes new enrolments on to bondd-control, and gives up on those that it does not settle.
    mutating func attendEnrolments(now: Instant) {
        if case .server(let server) = side {
            for wish in enrolments.takeForsaken(now: now) { server.tell(wish, .unavailable) }
        }
        if let (client, waiting) = enrolments.answer(now: now) {
            shared.control.reply(.enrolments(waiting), to: client)
        }
    }
}
