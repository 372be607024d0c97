import Messages

/// Decides which configuration bondd-control follows: the one that bondd has in force. Both read the same file, at different times,
/// and bondd may have refused its present text.
struct Agreement: Equatable {
    /// What is known of bondd.
    enum Bondd: Equatable {
        /// It does not answer.
        case absent
        /// It answers without a digest, as earlier versions do.
        case older
        /// It has this in force.
        case has(ConfigurationStatus)

        /// The digest of what it has, when it says so.
        var digest: String? {
            if case .has(let status) = self { status.digest } else { nil }
        }
    }

    /// What is known of the file on the disk.
    struct File: Equatable {
        /// The digest of its text; nil when it can't be read.
        var digest: String?
        /// Why it can't be read, or is not a server's configuration.
        var problem: String?
        /// Whether it can replace the present configuration without a restart.
        var canReplace = false
    }

    /// What is to be done.
    enum Step: Equatable {
        /// Nothing.
        case keep
        /// Follow the file.
        case takeFile
        /// Follow the text that was in force here last.
        case takeKept
        /// Keep the rest, but use bondd's networks, because neither text is bondd's.
        case borrow([String])
        /// Ask again: bondd has not read the file yet.
        case wait
        /// Keep the present configuration, and log the reason.
        case refuse(String)
    }

    var bondd: Bondd
    /// The digest of the text that bondd-control follows; nil if unknown.
    var own: String?
    var file: File
    /// The digest of the text that was in force here last.
    var kept: String?
    /// Whether a reload was requested.
    var isAsked: Bool

    var step: Step {
        if file.digest != nil && file.digest == own, !isElsewhere { return .keep }
        switch bondd {
        case .absent:
            if !isAsked { return .keep }
            if let problem = file.problem { return .refuse(problem) }
            // The rest is for bondd to decide.
            return file.canReplace ? .takeFile : .wait
        case .older:
            if !isAsked { return .keep }
            if let problem = file.problem { return .refuse(problem) }
            return file.canReplace ? .takeFile : .refuse(Self.needsBondd)
        case .has(let status):
            if status.digest == own {
                if let problem = file.problem { return isAsked ? .refuse(problem) : .keep }
                if status.refusedDigest != nil && status.refusedDigest == file.digest {
                    return .refuse(status.refusal ?? Self.needsBondd)
                }
                return isAsked ? .wait : .keep
            }
            if status.digest == file.digest { return .takeFile }
            if status.digest == kept { return .takeKept }
            return .borrow(status.addresses)
        }
    }

    /// Whether bondd has another text than bondd-control follows.
    private var isElsewhere: Bool {
        if case .has(let status) = bondd { return status.digest != own }
        return false
    }

    private static let needsBondd = "bondd takes it with a restart alone"
}
