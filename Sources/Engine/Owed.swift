import Packet
import Proto
import Scheduler

/// The control frames that a session owes its peer whichever path they take: the assignment, preferences, an
/// enrolment, secrets, test packets. Each waits until it was written into a datagram.
struct Owed: ~Copyable {
    /// A client that asks for its assignment with each PING until it has it is answered once in this time.
    private static let assignmentInterval = Interval.milliseconds(100)

    /// Test packets: requests, and what arrived.
    var bench = Bench()
    /// The enrolment with an invitation.
    var enrolling = Enrolling()
    /// Rates and classes of service.
    var shaping = ShapingExchange()
    /// Newer preshared keys.
    var secrets = SecretExchange()
    /// Client: the shortest time between two assignments.
    private static let shortestAssignment = Interval.milliseconds(500)
    /// Client: whether the server has assigned addresses and routes.
    private(set) var isAssigned = false
    /// Client: when it takes the next assignment.
    private var nextAssignment = Instant.zero
    /// Server: whether the client is to be told its assignment.
    private(set) var assignment = false
    /// Server: when they were last sent.
    private var assignedAt = Instant.zero
    /// Client: whether to report a mode or a path's role to the server at once.
    private(set) var preferences = false

    /// When a frame is due that no event brings about; `.never` without one.
    var nextDeadline: Instant { min(enrolling.due, secrets.due, shaping.due) }

    /// Whether a frame is due now.
    func isAny(now: Instant) -> Bool {
        preferences || assignment || bench.owesFrame || enrolling.owed != nil || enrolling.due <= now
            || shaping.isAny(now: now) || secrets.due <= now || secrets.owesAcknowledgement
    }

    /// Server: the client is to be told its assignment.
    mutating func oweAssignment() { assignment = true }

    /// Server: the client asks for its assignment.
    mutating func assignmentAsked(now: Instant) {
        if now - assignedAt >= Self.assignmentInterval { assignment = true }
    }

    /// Client: an assignment has come.
    /// - Returns: whether to take it. Each is work for the host, and the server decides how many there are: one
    ///   that comes too soon after the last is ignored, and asked for again.
    mutating func assigned(now: Instant) -> Bool {
        isAssigned = now >= nextAssignment
        if isAssigned { nextAssignment = now + Self.shortestAssignment }
        return isAssigned
    }

    /// Client: the server is to be told of a mode or a path's role at once.
    mutating func owePreferences() { preferences = true }

    /// Client: every path has told it.
    mutating func preferencesLeft() { preferences = false }

    /// Writes the frames that are due into a datagram on `path`, except for preferences.
    mutating func compose(
        _ writer: inout FrameWriter, on path: borrowing Path, assignment frame: AssignFrame?,
        enrolment: EngineConfiguration.Enrolment?, now: Instant
    ) {
        if assignment, let frame, path.mayAnswerAtLength, writer.append(frame) {
            assignment = false
            assignedAt = now
        }
        // The key comes first, because the client stops when it has the outcome.
        if let outcome = enrolling.owed, path.mayAnswerAtLength,
            enrolling.secret.map({ writer.append(SecretFrame($0)) }) ?? true, writer.append(outcome)
        {
            (enrolling.owed, enrolling.secret) = (nil, nil)
        }
        guard path.carriesData else { return }
        if let secret = secrets.owed, secrets.due <= now, writer.append(SecretFrame(secret)) {
            secrets.left(now: now)
        }
        if secrets.owesAcknowledgement, writer.append(secretKept: secrets.kept) {
            secrets.owesAcknowledgement = false
        }
        // Not on a path that is dead: with its probes, which come twice a second, too, it would be lost each
        // time.
        if enrolling.due <= now, let enrolment,
            writer.append(EnrolFrame(publicKey: enrolment.publicKey), host: enrolment.host)
        {
            if let proof = enrolment.proof { _ = writer.append(proof) }
            enrolling.due = now + Enrolling.interval
        }
        shaping.compose(&writer, now: now)
        bench.compose(&writer, now: now)
    }
}
