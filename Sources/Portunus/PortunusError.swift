/// Why this server could not be made a client of a control plane, or what it has of one is no use.
public enum PortunusError: Error, Equatable, CustomStringConvertible {
    /// The text is no enrolment URI: what is wrong with it.
    case notAURI(String)
    /// A bundle file could not be used: its path, and what is wrong with it, to follow the path.
    case bundle(path: String, String)
    /// A bundle file could not be written: the sentence.
    case unwritable(String)
    /// Nobody answers there as a control plane would: where, and why.
    case unreachable(endpoint: String, String)
    /// Somebody else answers there: where.
    case wrongCertificate(endpoint: String)
    /// The control plane has no such code.
    case codeUnknown
    /// The code is too old.
    case codeExpired
    /// The code was redeemed before.
    case codeUsed
    /// The control plane does not enrol for another reason: its words for it.
    case refused(String)
    /// The control plane could not store what it gave.
    case notStored
    /// What the control plane gave is no bundle: what is wrong with it.
    case badAnswer(String)

    /// One sentence that says what, where and what to do; never a secret.
    public var description: String {
        switch self {
        case .notAURI(let reason):
            "this is no enrolment URI: \(reason); copy it whole, it begins with portunus://"
        case .bundle(let path, let reason): "the bundle file \(path) \(reason)"
        case .unwritable(let sentence): sentence
        case .unreachable(let endpoint, let reason):
            "no control plane answers at \(endpoint) (\(reason)); try again when it does"
        case .wrongCertificate(let endpoint):
            "\(endpoint) has another certificate than the URI names, so the code was not sent; ask whoever runs the control plane for a new URI"
        case .codeUnknown:
            "the control plane does not know the code (enrollment_invalid); ask whoever runs it for a new URI"
        case .codeExpired:
            "the code is too old (enrollment_expired); ask whoever runs the control plane for a new URI"
        case .codeUsed:
            "the code was used before (enrollment_used); ask whoever runs the control plane for a new URI"
        case .refused(let words):
            "the control plane refuses (\(words)); ask whoever runs it"
        case .notStored:
            "the control plane could not store the enrolment (enrollment_store_error); try again, with a new URI if it says that the code was used"
        case .badAnswer(let reason):
            "the control plane's answer is no use (\(reason)); ask whoever runs it for a new URI"
        }
    }
}
