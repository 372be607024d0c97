import Commands
import Glibc
import Packet

/// A question to several data threads how things stand, and their answers.
final class ReportCall: @unchecked Sendable {
    private let lock = Lock()
    private let bell: Bell
    private var reports: [ShardReport] = []

    init() throws(Failure) { bell = try Bell() }

    /// A data thread's answer.
    func answer(_ report: ShardReport) {
        lock.locked { reports.append(report) }
        bell.ring()
    }

    /// The answers, when there are so many, or after the time those that came by then.
    func wait(for count: Int, milliseconds: Int32) -> [ShardReport] {
        let end = DataPlane.clock() + .milliseconds(Int64(milliseconds))
        while true {
            let answers = lock.locked { self.reports }
            let left = end - DataPlane.clock()
            if answers.count >= count || left <= .zero { return answers }
            var watched = pollfd(fd: bell.fileDescriptor, events: Int16(POLLIN), revents: 0)
            _ = poll(&watched, 1, Int32(left.milliseconds) + 1)
            bell.silence()
        }
    }
}
