/// bondd's answer to a `Request`: one line of JSON, `{"ok":true}`, `{"error":"…","ok":false}` or
/// `{"ok":true,"status":{…}}`.
package enum Response: Hashable, Sendable, Codable, Answer {
    /// Success.
    case ok
    /// Success with notices, one sentence each.
    case warned([String])
    /// A failure, with one sentence that says why.
    case failed(String)
    /// The response to `Request.status`.
    case status(Status)
    /// The response to `Request.bench`.
    case bench(BenchStatus)
    /// The response to `Request.usage`.
    case usage(UsageReport)
    /// The response to `Request.awaitEnrolments`: the enrolments to settle.
    case enrolments([Enrolment])
    /// The response to `Request.services`.
    case services(ServiceCounters)
    /// The response to `Request.carry` if some services were left out: the reasons, by the service's name. The
    /// others are carried.
    case carried(refused: [String: String])
    /// The response to `Request.handOver` if clients in it were revoked in bondd: their public keys. bondd
    /// keeps refusing them until a handover without them arrives.
    case revoked([String])

    /// The sentence of `failed`; `nil` for every other response.
    package var failure: String? { if case .failed(let sentence) = self { sentence } else { nil } }

    private enum CodingKeys: String, CodingKey {
        case ok, error, status, bench, usage, enrolments, services, refused, revoked, notices
    }

    /// Decodes a response; unknown keys are skipped.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        if try !fields.decode(Bool.self, forKey: .ok) {
            self = .failed(try fields.decode(String.self, forKey: .error))
        } else if let status = try fields.decodeIfPresent(Status.self, forKey: .status) {
            self = .status(status)
        } else if let bench = try fields.decodeIfPresent(BenchStatus.self, forKey: .bench) {
            self = .bench(bench)
        } else if let usage = try fields.decodeIfPresent(UsageReport.self, forKey: .usage) {
            self = .usage(usage)
        } else if let enrolments = try fields.decodeIfPresent([Enrolment].self, forKey: .enrolments) {
            self = .enrolments(enrolments)
        } else if let services = try fields.decodeIfPresent(ServiceCounters.self, forKey: .services) {
            self = .services(services)
        } else if let refused = try fields.decodeIfPresent([String: String].self, forKey: .refused) {
            self = .carried(refused: refused)
        } else if let keys = try fields.decodeIfPresent([String].self, forKey: .revoked) {
            self = .revoked(keys)
        } else if let notices = try fields.decodeIfPresent([String].self, forKey: .notices) {
            self = .warned(notices)
        } else {
            self = .ok
        }
    }

    /// Encodes the response as one flat object.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(failure == nil, forKey: .ok)
        switch self {
        case .ok: break
        case .warned(let notices): try fields.encode(notices, forKey: .notices)
        case .failed(let sentence): try fields.encode(sentence, forKey: .error)
        case .status(let status): try fields.encode(status, forKey: .status)
        case .bench(let bench): try fields.encode(bench, forKey: .bench)
        case .usage(let usage): try fields.encode(usage, forKey: .usage)
        case .enrolments(let enrolments): try fields.encode(enrolments, forKey: .enrolments)
        case .services(let services): try fields.encode(services, forKey: .services)
        case .carried(let refused): try fields.encode(refused, forKey: .refused)
        case .revoked(let keys): try fields.encode(keys, forKey: .revoked)
        }
    }
}
