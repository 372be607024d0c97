import ControlProtocol
import Glibc
import Packet
import Runtime
import Settings

/// State in a file, such as bondd-control's last handover, so that bondd can start without bondd-control. A
/// disk that fails or is full is reported once, and bondd continues.
struct Kept<Content: Codable & Equatable> {
    /// The current content; nil if there never was any.
    private(set) var content: Content?

    private let path: String
    private let writer: StateWriter
    private let log: Log
    /// The consequence of a file that can't be written.
    private let loss: String
    private var isUnsaved = false
    /// Why it could not be written.
    private var problem: String?
    private var retryAt = Instant.zero

    /// The time between looks at a running write, and the pause after one that failed.
    private static var glance: Interval { .milliseconds(5) }
    private static var patience: Interval { .seconds(5) }

    /// The largest file that is read, in bytes: some 50,000 clients.
    private static var maximumFile: Int { 16 << 20 }

    /// Starts with the file's content.
    /// - Parameters:
    ///   - damage: the consequence of a file that can't be read.
    ///   - loss: the consequence of a file that can't be written.
    init(_ path: String, damage: String, loss: String, log: Log) {
        self.path = path
        self.log = log
        self.loss = loss
        writer = StateWriter(path)
        do throws(TextFile.Failure) {
            let text = try TextFile.read(path, limit: Self.maximumFile)
            content = try? Line.decode(Content.self, from: text.utf8)
            if content == nil { log(.error, "\(path) is damaged; \(damage)") }
        } catch  where error.isMissing {
            return
        } catch {
            log(.error, "\(path) \(error.sentence); \(damage)")
        }
    }

    /// Replaces the content, and begins to save it. Equal content is not written again.
    /// - Returns: whether the content has changed.
    @discardableResult
    mutating func replace(with new: Content, now: Instant) -> Bool {
        let isNew = new != content
        if !isNew && !isUnsaved && (writer.isBusy || access(path, F_OK) == 0) { return false }
        content = new
        isUnsaved = true
        (problem, retryAt) = (nil, now)
        save(now: now)
        return isNew
    }

    /// Whether the content is in the file, or why it is not; nil until that is known.
    var outcome: (isKept: Bool, problem: String)? {
        if writer.isBusy { return nil }
        return isUnsaved ? problem.map { (false, $0) } : (true, "")
    }

    /// When to call `save` again.
    func deadline(now: Instant) -> Instant {
        writer.isBusy ? now + Self.glance : isUnsaved ? max(retryAt, now + Self.glance) : .never
    }

    /// Saves unsaved content without waiting for the disk.
    mutating func save(now: Instant) {
        takeOutcome(now: now)
        guard isUnsaved, now >= retryAt, !writer.isBusy, let content, let line = try? Line.encode(content)
        else { return }
        isUnsaved = false
        writer.begin(line)
    }

    /// Saves unsaved content, and waits for the disk.
    mutating func close(now: Instant) {
        takeOutcome(waits: true, now: now)
        retryAt = now
        save(now: now)
        takeOutcome(waits: true, now: now)
    }

    private mutating func takeOutcome(waits: Bool = false, now: Instant) {
        guard let outcome = writer.takeOutcome(waits: waits) else { return }
        guard let error = outcome else {
            problem = nil
            return
        }
        let sentence = "\(error); \(loss)"
        if problem == nil { log(.error, sentence) }
        problem = sentence
        isUnsaved = true
        retryAt = now + Self.patience
    }
}
