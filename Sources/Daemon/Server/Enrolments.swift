import ControlProtocol
import Packet
import Proto

/// The enrolments that wait for bondd-control, and its open question for them.
struct Enrolments {
    private struct Wish {
        let enrolment: Enrolment
        let key: PublicKey
        let since: Instant
        /// When it was last passed to bondd-control.
        var toldAt: Instant?
    }

    /// bondd-control is answered after this time even if no client enrols, so that neither end waits for a
    /// peer that is gone.
    private static let longestWait = Interval.seconds(20)
    /// An enrolment that is not settled by then is passed to bondd-control again, which may have been
    /// restarted.
    private static let patience = Interval.seconds(1)
    /// An enrolment that is not settled by then is refused for now.
    private static let longestSilence = Interval.seconds(3)
    /// More at once than any operator invites; the rest ask again.
    private static let maximumWishes = 64
    /// The maximum of one invitation, whose holder may ask with any number of keys.
    private static let maximumOfOne = 8

    private var wishes: [Wish] = []
    private var lastID = 0
    private var question: (client: ControlClientID, since: Instant)?

    /// The invitations whose holders wait, one for each enrolment.
    var waiting: [Int] { wishes.map(\.enrolment.invitation) }

    /// When `answer` or `takeForsaken` has work.
    var deadline: Instant {
        let answer = question.map { $0.since + Self.longestWait } ?? .never
        return wishes.reduce(answer) { min($0, $1.since + Self.longestSilence) }
    }

    /// A client wants to enrol, or repeats that.
    mutating func note(invitation: Int, key: PublicKey, host: String, now: Instant) {
        if let index = wishes.firstIndex(where: { $0.key == key && $0.enrolment.invitation == invitation }) {
            if let toldAt = wishes[index].toldAt, now - toldAt >= Self.patience { wishes[index].toldAt = nil }
            return
        }
        guard wishes.count < Self.maximumWishes,
            wishes.count(where: { $0.enrolment.invitation == invitation }) < Self.maximumOfOne
        else { return }
        lastID += 1
        wishes.append(
            Wish(
                enrolment: Enrolment(id: lastID, invitation: invitation, publicKey: key.base64, host: host),
                key: key, since: now))
    }

    /// bondd-control asks for enrolments. A new question replaces an open one.
    mutating func ask(_ client: ControlClientID, now: Instant) { question = (client, now) }

    /// The answer for bondd-control that is due now; nil if there is none.
    mutating func answer(now: Instant) -> (client: ControlClientID, enrolments: [Enrolment])? {
        guard let question else { return nil }
        let news = wishes.indices.filter { wishes[$0].toldAt == nil }
        guard !news.isEmpty || now - question.since >= Self.longestWait else { return nil }
        self.question = nil
        for index in news { wishes[index].toldAt = now }
        return (question.client, news.map { wishes[$0].enrolment })
    }

    /// Takes an enrolment that bondd-control has settled; nil if it no longer waits.
    mutating func settle(_ id: Int) -> (invitation: Int, key: PublicKey)? {
        guard let index = wishes.firstIndex(where: { $0.enrolment.id == id }) else { return nil }
        let wish = wishes.remove(at: index)
        return (wish.enrolment.invitation, wish.key)
    }

    /// The enrolments that were not settled in time, because bondd-control does not run or can't store them.
    mutating func takeForsaken(now: Instant) -> [(invitation: Int, key: PublicKey)] {
        let old = wishes.filter { now - $0.since >= Self.longestSilence }
        if old.isEmpty { return [] }
        wishes.removeAll { now - $0.since >= Self.longestSilence }
        return old.map { ($0.enrolment.invitation, $0.key) }
    }
}
