import ControlProtocol
import Packet
import Proto

/// Who wants to enrol, from the first wish until bondd-control has settled it, and bondd-control's open
/// question for them.
struct Enrolments {
    private struct Wish {
        let enrolment: Enrolment
        let key: PublicKey
        let since: Instant
        /// When it was last given to bondd-control.
        var toldAt: Instant?
    }

    /// bondd-control is answered after this time even if no client enrols, so that neither waits for a peer
    /// that is gone.
    private static let longestWait = Interval.seconds(20)
    /// A wish that bondd-control has not settled by then is given to it again, which may have been restarted.
    private static let patience = Interval.seconds(1)
    /// A wish that bondd-control has not settled by then is turned down for now.
    private static let longestSilence = Interval.seconds(3)
    /// More at once than any operator invites; the rest asks again.
    private static let maximumWishes = 64
    /// One invitation's share of them: its holder may wish for a client with any number of keys.
    private static let maximumOfOne = 8

    private var wishes: [Wish] = []
    private var lastID = 0
    private var question: (client: ControlClientID, since: Instant)?

    /// The invitations whose holders wait, one for each wish.
    var waiting: [Int] { wishes.map(\.enrolment.invitation) }

    /// When `answer` or `takeForsaken` has something to do.
    var deadline: Instant {
        let answer = question.map { $0.since + Self.longestWait } ?? .never
        return wishes.reduce(answer) { min($0, $1.since + Self.longestSilence) }
    }

    /// A client wants to enrol, perhaps not for the first time.
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

    /// bondd-control asks. One question at a time: a newer one takes its place.
    mutating func ask(_ client: ControlClientID, now: Instant) { question = (client, now) }

    /// What bondd-control is to be answered now, and where; nil while there is nothing to say.
    mutating func answer(now: Instant) -> (client: ControlClientID, enrolments: [Enrolment])? {
        guard let question else { return nil }
        let news = wishes.indices.filter { wishes[$0].toldAt == nil }
        guard !news.isEmpty || now - question.since >= Self.longestWait else { return nil }
        self.question = nil
        for index in news { wishes[index].toldAt = now }
        return (question.client, news.map { wishes[$0].enrolment })
    }

    /// The wish that bondd-control has settled; nil when it is not waiting any more.
    mutating func settle(_ id: Int) -> (invitation: Int, key: PublicKey)? {
        guard let index = wishes.firstIndex(where: { $0.enrolment.id == id }) else { return nil }
        let wish = wishes.remove(at: index)
        return (wish.enrolment.invitation, wish.key)
    }

    /// The wishes that were not settled in time, because bondd-control does not run or can't.
    mutating func takeForsaken(now: Instant) -> [(invitation: Int, key: PublicKey)] {
        let old = wishes.filter { now - $0.since >= Self.longestSilence }
        if old.isEmpty { return [] }
        wishes.removeAll { now - $0.since >= Self.longestSilence }
        return old.map { ($0.enrolment.invitation, $0.key) }
    }
}
