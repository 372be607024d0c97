/// Result of one check of `bondd doctor`.
struct Finding: Equatable, Encodable {
    /// How bad it is.
    enum Verdict: String, Encodable {
        /// Nothing is wrong.
        case ok
        /// It works, or may work, but not as it should.
        case warn
        /// It does not work.
        case fail
    }

    /// The check, one word: `tun`, `udp`, `names`.
    let check: String
    let verdict: Verdict
    /// The observation, a clause without a full stop.
    let found: String
    /// The remedy; `nil` if none is needed.
    let remedy: String?

    static func ok(_ check: String, _ found: String) -> Finding {
        Finding(check: check, verdict: .ok, found: found, remedy: nil)
    }

    static func warn(_ check: String, _ found: String, _ remedy: String? = nil) -> Finding {
        Finding(check: check, verdict: .warn, found: found, remedy: remedy)
    }

    static func fail(_ check: String, _ found: String, _ remedy: String? = nil) -> Finding {
        Finding(check: check, verdict: .fail, found: found, remedy: remedy)
    }

    /// A finding from one of bondd's own sentences, `FOUND; REMEDY`.
    static func told(_ check: String, _ verdict: Verdict, _ sentence: String) -> Finding {
        guard let gap = sentence.firstRange(of: "; ") else {
            return Finding(check: check, verdict: verdict, found: sentence, remedy: nil)
        }
        return Finding(
            check: check, verdict: verdict, found: String(sentence[..<gap.lowerBound]),
            remedy: String(sentence[gap.upperBound...]))
    }
}
