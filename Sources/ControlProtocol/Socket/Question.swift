/// A request whose response has one kind of reply.
package struct Question<Request: Encodable & Sendable, Response: Answer, Reply: Sendable>: Sendable {
    let request: Request
    /// The reply's name in an error, such as `status`.
    let noun: String
    /// The reply in a response; `nil` if the response is to another request.
    let reply: @Sendable (Response) -> Reply?

    /// The reply to the request in `response`.
    /// - Parameter path: the socket that the response came from.
    /// - Throws: `refused`, or `otherVersion` if the response has no such reply.
    func reply(in response: Response, path: String) throws(SocketError) -> Reply {
        if let sentence = response.failure { throw .refused(sentence) }
        guard let reply = reply(response) else { throw .otherVersion(path: path, missing: noun) }
        return reply
    }
}

extension Question<ControlProtocol.Request, ControlProtocol.Response, Status> {
    /// How the tunnel is doing.
    package static var status: Self {
        Self(request: .status, noun: "status") { if case .status(let status) = $0 { status } else { nil } }
    }
}

extension Question<ControlProtocol.Request, ControlProtocol.Response, BenchStatus> {
    /// See `Request.bench`.
    package static func bench(path: String?, towardsServer: Bool?) -> Self {
        Self(request: .bench(path: path, towardsServer: towardsServer), noun: "measurement") {
            if case .bench(let status) = $0 { status } else { nil }
        }
    }
}

extension Question<ControlProtocol.Request, ControlProtocol.Response, UsageReport> {
    /// What each client's paths have carried.
    package static var usage: Self {
        Self(request: .usage, noun: "usage") { if case .usage(let report) = $0 { report } else { nil } }
    }
}

extension Question<ControlProtocol.Request, ControlProtocol.Response, ServiceCounters> {
    /// Bytes and connections that the kernel has carried, by service.
    package static var serviceCounters: Self {
        Self(request: .services, noun: "counters") {
            if case .services(let counters) = $0 { counters } else { nil }
        }
    }
}

extension Question<ControlServiceRequest, ControlServiceResponse, String> {
    /// A join link. Secret.
    package static func invite(_ order: InvitationOrder) -> Self {
        Self(request: .invite(order), noun: "link") { if case .link(let link) = $0 { link } else { nil } }
    }
}

extension Question<ControlServiceRequest, ControlServiceResponse, ([ServiceStatus], PlaneStatus)> {
    /// The rules that are carried, and the control plane that they come from.
    package static var services: Self {
        Self(request: .services, noun: "list") {
            if case .services(let services, let plane) = $0 { (services, plane) } else { nil }
        }
    }
}

extension Question<ControlServiceRequest, ControlServiceResponse, ([ClientStatus], [InvitationStatus])> {
    /// The clients that may connect, and the invitations that are open.
    package static var clients: Self {
        Self(request: .clients, noun: "list") {
            if case .clients(let clients, let invitations) = $0 { (clients, invitations) } else { nil }
        }
    }
}

/// A response to a program on a `ControlSocket`.
package protocol Answer: Encodable, Sendable {
    /// A failure, with one sentence that says why.
    static func failed(_ sentence: String) -> Self

    /// The sentence of `failed`; `nil` for every other answer.
    var failure: String? { get }
}
