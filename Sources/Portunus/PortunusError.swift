/// Why enrolment with a control plane failed, or a bundle is unusable.
package enum PortunusError: Error, Equatable, CustomStringConvertible {
    /// The text is not an enrolment URI: the problem.
    case notAURI(String)
    /// A bundle file could not be used: its path, and the problem, worded to follow the path.
    case bundle(path: String, String)
    /// A bundle file could not be written: the sentence.
    case unwritable(String)
    /// No control plane answers there: the endpoint, and the reason.
    case unreachable(endpoint: String, String)
    /// A server with another certificate answers there: the endpoint.
    case wrongCertificate(endpoint: String)
    /// The control plane does not know the code.
    case codeUnknown
    /// The code has expired.
    case codeExpired
    /// The code has already been redeemed.
    case codeUsed
    /// The control plane refuses for another reason: its text.
    case refused(String)
    /// The control plane could not store the enrolment.
    case notStored
    /// The control plane's answer is not a valid bundle: the problem.
    case badAnswer(String)

    /// One sentence that says what, where and what to do; never a secret.
    package var description: String {
        switch self {
        case .notAURI(let reason):
            "this is not an enrolment URI: \(reason); copy all of it, beginning with portunus://"
        case .bundle(let path, let reason): "the bundle file \(path) \(reason)"
        case .unwritable(let sentence): sentence
        case .unreachable(let endpoint, let reason):
            "no control plane answers at \(endpoint) (\(reason)); try again once it does"
        case .wrongCertificate(let endpoint):
            "\(endpoint) has another certificate than the URI names, so the code was not sent; ask the operator of the control plane for a new URI"
        case .codeUnknown:
            "the control plane does not know the code (enrollment_invalid); ask its operator for a new URI"
        case .codeExpired:
            "the code has expired (enrollment_expired); ask the operator of the control plane for a new URI"
        case .codeUsed:
            "the code has already been used (enrollment_used); ask the operator of the control plane for a new URI"
        case .refused(let words):
            "the control plane refuses (\(words)); ask its operator"
        case .notStored:
            "the control plane could not store the enrolment (enrollment_store_error); try again, with a new URI if it reports that the code has been used"
        case .badAnswer(let reason):
            "the control plane's answer is unusable (\(reason)); ask its operator for a new URI"
        }
    }
}
