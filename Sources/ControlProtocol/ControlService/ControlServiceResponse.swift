/// bondd-control's response to a `ControlServiceRequest`: one line of JSON, `{"ok":true}`,
/// `{"error":"…","ok":false}`, `{"link":"bondd://…","ok":true}`, `{"clients":[…],"invitations":[…],"ok":true}`
/// or `{"ok":true,"plane":{…},"services":[…]}`.
package enum ControlServiceResponse: Hashable, Sendable, Codable, Answer {
    /// Success.
    case ok
    /// Success, with one sentence for the user.
    case noted(String)
    /// A failure, with one sentence that says why.
    case failed(String)
    /// The response to `ControlServiceRequest.invite`: the join link. Secret.
    case link(String)
    /// The response to `ControlServiceRequest.clients`.
    case clients([ClientStatus], [InvitationStatus])
    /// The response to `ControlServiceRequest.services`.
    case services([ServiceStatus], PlaneStatus)

    /// The sentence of `failed`; `nil` for every other response.
    package var failure: String? { if case .failed(let sentence) = self { sentence } else { nil } }

    private enum CodingKeys: String, CodingKey {
        case ok, error, note, link, clients, invitations, services, plane
    }

    /// Decodes a response; unknown keys are skipped.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        if try !fields.decode(Bool.self, forKey: .ok) {
            self = .failed(try fields.decode(String.self, forKey: .error))
        } else if let note = try fields.decodeIfPresent(String.self, forKey: .note) {
            self = .noted(note)
        } else if let link = try fields.decodeIfPresent(String.self, forKey: .link) {
            self = .link(link)
        } else if let clients = try fields.decodeIfPresent([ClientStatus].self, forKey: .clients) {
            let invitations = try fields.decodeIfPresent([InvitationStatus].self, forKey: .invitations)
            self = .clients(clients, invitations ?? [])
        } else if let services = try fields.decodeIfPresent([ServiceStatus].self, forKey: .services) {
            self = .services(services, try fields.decode(PlaneStatus.self, forKey: .plane))
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
        case .noted(let sentence): try fields.encode(sentence, forKey: .note)
        case .failed(let sentence): try fields.encode(sentence, forKey: .error)
        case .link(let link): try fields.encode(link, forKey: .link)
        case .clients(let clients, let invitations):
            try fields.encode(clients, forKey: .clients)
            try fields.encode(invitations, forKey: .invitations)
        case .services(let services, let plane):
            try fields.encode(services, forKey: .services)
            try fields.encode(plane, forKey: .plane)
        }
    }
}
