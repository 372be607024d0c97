import Packet
import Runtime

/// Gathers the reports of the data threads without waiting: the main thread carries data until all have
/// answered. A question that arrives while a call is open is answered by the next call, which sees everything
/// that happened before it.
struct Survey {
    /// A question on the control socket that takes a report of each data thread.
    enum Question {
        case status
        case usage
    }

    typealias Asker = (question: Question, client: ControlClientID)

    /// The maximum time for a data thread's answer.
    private static let patience = Interval.seconds(1)

    /// When the open call is closed with the answers so far; `never` without a call.
    private(set) var deadline = Instant.never
    private var call: ReportCall?
    /// The threads that the open call asked.
    private var asked: Set<Int> = []
    private var askers: [Asker] = []
    private var waiting: [Asker] = []
    /// Calls that a thread has not answered in time. It is not asked again until it has, because it may hang.
    private var owed: [Int: ReportCall] = [:]

    /// Has the next call answer a client.
    mutating func ask(_ question: Question, for client: ControlClientID) {
        waiting.append((question, client))
    }

    /// Opens the next call if none is open and a client waits.
    mutating func open(_ threads: [DataThread], answerTo mailbox: Mailbox<EnrolmentWish>?, now: Instant) {
        guard call == nil, !waiting.isEmpty else { return }
        (askers, waiting) = (waiting, [])
        deadline = now + Self.patience
        asked = []
        guard let mailbox else { return }
        let next = ReportCall(answerTo: mailbox)
        for thread in threads where !owes(thread.number) {
            thread.mailbox.post(.report(next))
            asked.insert(thread.number)
        }
        call = next
    }

    /// Closes the open call if all threads that were asked have answered, or the time is up.
    /// - Returns: the clients that asked, and the answers; nil while the call is open, or there is none.
    mutating func close(now: Instant) -> (askers: [Asker], answers: [ShardReport])? {
        guard !askers.isEmpty else { return nil }
        let answers = call?.answers ?? []
        guard answers.count >= asked.count || now >= deadline else { return nil }
        for number in asked.subtracting(answers.map(\.shard)) { owed[number] = call }
        defer {
            call = nil
            askers = []
            deadline = .never
        }
        return (askers, answers)
    }

    private mutating func owes(_ number: Int) -> Bool {
        guard let old = owed[number] else { return false }
        if old.answers.contains(where: { $0.shard == number }) { owed[number] = nil }
        return owed[number] != nil
    }
}

extension Daemon {
    /// Answers questions for status and usage as soon as the data threads' reports have arrived.
    mutating func attendSurvey(now: Instant) {
        openSurvey(now: now)
        while let (askers, answers) = survey.close(now: now) {
            let reports: [ShardReport]
            switch side {
            case .client(let client): reports = [client.plane.report(of: 0, now: now)]
            case .server: reports = answers
            }
            for asker in askers {
                switch asker.question {
                case .status: shared.control.reply(.status(status(reports, now: now)), to: asker.client)
                case .usage: shared.control.reply(.usage(usageReport(reports)), to: asker.client)
                }
            }
            openSurvey(now: now)
        }
    }

    private mutating func openSurvey(now: Instant) {
        switch side {
        case .client: survey.open([], answerTo: nil, now: now)
        case .server(let server):
            survey.open(server.threads.list, answerTo: server.threads.wishes, now: now)
        }
    }
}
