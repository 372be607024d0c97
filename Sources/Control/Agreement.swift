import ControlProtocol

/// Decides which configuration bondd-control follows: the one in force in bondd. Both read the same file, at
/// different times, and bondd may have refused its present text. bondd-control may be ahead of bondd with a
/// text that bondd has neither read nor refused and that leaves the tunnel unchanged.
struct Agreement: Equatable {
    /// The known state of bondd.
    enum Bondd: Equatable {
        /// It does not answer.
        case absent
        /// It answers without a digest, as earlier versions do.
        case older
        /// It has this configuration in force.
        case has(ConfigurationStatus)

        /// The digest of its configuration, if reported.
        var digest: String? {
            if case .has(let status) = self { status.digest } else { nil }
        }

        /// The tunnel's addresses in its configuration, if reported.
        var addresses: [String]? {
            if case .has(let status) = self { status.addresses } else { nil }
        }
    }

    /// The known state of the file on disk.
    struct File: Equatable {
        /// The digest of its text; nil if it cannot be read.
        var digest: String?
        /// Why it cannot be read, or is not a server's configuration.
        var problem: String?
        /// Whether it can replace bondd's configuration, or the present one if bondd's is unknown, without a restart.
        var canReplace = false
    }

    /// The next step.
    enum Step: Equatable {
        /// Do nothing.
        case keep
        /// Follow the file.
        case takeFile
        /// Follow the text that was last in force here.
        case takeKept
        /// Keep the rest, but use bondd's networks, because neither text is bondd's.
        case borrow([String])
        /// Ask again later: bondd has not read the file yet.
        case wait
        /// Keep the present configuration, and log the reason.
        case refuse(String)
    }

    var bondd: Bondd
    /// The digest of the text that bondd-control follows; nil if unknown.
    var own: String?
    var file: File
    /// The digest of the last text in force in both.
    var kept: String?
    /// Whether a reload was requested.
    var isAsked: Bool
    /// Whether bondd has had time to read the file since the request.
    var isLate = false

    var step: Step {
        switch bondd {
        case .absent, .older:
            if !isAsked || file.digest != nil && file.digest == own { return .keep }
            if let problem = file.problem { return .refuse(problem) }
            if file.canReplace { return .takeFile }
            return bondd == .absent ? .wait : .refuse(Self.needsRestart)
        case .has(let status): return step(status)
        }
    }

    private func step(_ status: ConfigurationStatus) -> Step {
        if status.digest == file.digest { return file.digest == own ? .keep : .takeFile }
        let isRefused = file.digest != nil && file.digest == status.refusedDigest
        if file.problem == nil && file.canReplace && !isRefused {
            // bondd has not been told to read it, and may do so at any time.
            if own == file.digest { return .keep }
            if isAsked { return isLate ? .takeFile : .wait }
        }
        if own != status.digest { return kept == status.digest ? .takeKept : .borrow(status.addresses) }
        if !isAsked { return .keep }
        if let problem = file.problem { return .refuse(problem) }
        return isRefused ? .refuse(status.refusal ?? Self.needsRestart) : .wait
    }

    private static let needsRestart = "bondd applies it only after a restart"
}
