import Runtime

/// A request for the data threads' reports, and their answers.
final class ReportCall: @unchecked Sendable {
    private let lock = Lock()
    /// Wakes the thread that asked.
    private let mailbox: Mailbox<EnrolmentWish>
    private var reports: [ShardReport] = []

    /// - Parameter mailbox: that of the thread that asks.
    init(answerTo mailbox: Mailbox<EnrolmentWish>) { self.mailbox = mailbox }

    /// A data thread's answer.
    func answer(_ report: ShardReport) {
        lock.locked { reports.append(report) }
        mailbox.wake()
    }

    /// The answers so far, ordered by thread.
    var answers: [ShardReport] { lock.locked { reports }.sorted { $0.shard < $1.shard } }
}
