import Runtime

/// A question to data threads how things stand, and their answers.
final class ReportCall: @unchecked Sendable {
    private let lock = Lock()
    /// Wakes who asked.
    private let mailbox: Mailbox<EnrolmentWish>
    private var reports: [ShardReport] = []

    /// - Parameter mailbox: that of the thread that asks.
    init(answerTo mailbox: Mailbox<EnrolmentWish>) { self.mailbox = mailbox }

    /// A data thread's answer.
    func answer(_ report: ShardReport) {
        lock.locked { reports.append(report) }
        mailbox.wake()
    }

    /// The answers that have come so far, by thread.
    var answers: [ShardReport] { lock.locked { reports }.sorted { $0.shard < $1.shard } }
}
