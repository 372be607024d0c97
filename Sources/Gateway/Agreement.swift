import Messages

/// Which configuration bondd-control goes by: the one that bondd has. The two read the same file, not at the same moment, and
/// bondd may have refused what is in it now.
struct Agreement: Equatable {
    /// What is known of bondd.
    enum Bondd: Equatable {
        /// It does not answer.
        case absent
        /// It does not say what it has, being an earlier version.
        case older
        /// What it has.
        case has(ConfigurationStatus)
    }

    /// What is known of the file on the disk.
    struct File: Equatable {
        /// The digest of its text; nil when it can't be read.
        var digest: String?
        /// Why it can't be read or is no configuration of a server.
        var problem: String?
        /// Whether a program that runs can take it in place of what it has.
        var canReplace = false
    }

    /// What is to be done.
    enum Step: Equatable {
        /// Nothing.
        case keep
        /// Go by the file.
        case takeFile
        /// Go by the text that was in force here last.
        case takeKept
        /// Go on as it is, but with bondd's networks, as neither text is bondd's.
        case borrow([String])
        /// Ask again: bondd has not read the file yet.
        case wait
        /// Go on as it is, and say why.
        case refuse(String)
    }

    var bondd: Bondd
    /// The digest of the text that bondd-control goes by; nil when that is not known.
    var own: String?
    var file: File
    /// The digest of the text that was in force here last.
    var kept: String?
    /// Whether somebody has asked for the file to be read again.
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

    /// Whether bondd has another text than bondd-control goes by.
    private var isElsewhere: Bool {
        if case .has(let status) = bondd { return status.digest != own }
        return false
    }

    private static let needsBondd = "bondd takes it with a restart alone"
}
