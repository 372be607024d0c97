import GRPCCore
import GRPCProtobuf
import Settings

/// Enrolment of this server with a control plane.
package enum Enrolment {
    /// Redeems the code at the control plane named by the URI, once its certificate has matched the pin. Takes
    /// at most 15 s, plus the time to resolve the endpoint's name.
    /// - Throws: why enrolment failed.
    package static func redeem(_ uri: EnrolmentURI) async throws(PortunusError) -> Bundle {
        guard let pin = Pin(uri.pin) else { throw .notAURI("its pin is not 64 hexadecimal digits") }
        let timing = Timing()
        let line = Line(to: uri.endpoint, pin: pin, timing: timing)
        let answer: Portunus_V1_CredentialBundle
        do {
            answer = try await ask(uri, line, timing)
        } catch {
            throw line.sawAnotherCertificate
                ? .wrongCertificate(endpoint: "\(uri.endpoint)") : Self.error(error, uri.endpoint)
        }
        let bundle = Bundle(
            clientName: answer.clientName, clientID: answer.clientID.isEmpty ? nil : answer.clientID,
            endpoint: answer.serverEndpoint, pin: answer.serverCertSha256.lowercased(), token: answer.token)
        guard answer.version == 1 else { throw .badAnswer("its version is \(answer.version), not 1") }
        if let fault = bundle.fault { throw .badAnswer(fault) }
        return bundle
    }

    private static func ask(
        _ uri: EnrolmentURI, _ line: Line, _ timing: Timing
    ) async throws -> Portunus_V1_CredentialBundle {
        try await withThrowingTaskGroup(of: Portunus_V1_CredentialBundle.self) { group in
            group.addTask {
                try await line.connect { client in
                    let request = ClientRequest(
                        message: Portunus_V1_EnrollClientRequest.with { $0.code = uri.code })
                    return try await Portunus_V1_ClientEnrollment.Client(wrapping: client).enroll(
                        request: request, serializer: ProtobufSerializer(),
                        deserializer: ProtobufDeserializer(),
                        options: .defaults
                    ) { try $0.message }
                }
            }
            group.addTask {
                try await Task.sleep(for: timing.welcome)
                throw RPCError(code: .unavailable, message: "no answer")
            }
            defer { group.cancelAll() }
            return try await group.next()!
        }
    }

    /// Translates an error from the control plane, or while contacting it.
    private static func error(_ error: any Error, _ endpoint: HostPort) -> PortunusError {
        guard let error = error as? RPCError else {
            return .unreachable(endpoint: "\(endpoint)", "\(error)".words)
        }
        switch (error.code, error.message) {
        case (.unauthenticated, "enrollment_invalid"): return .codeUnknown
        case (.unauthenticated, "enrollment_expired"): return .codeExpired
        case (.unauthenticated, "enrollment_used"): return .codeUsed
        case (.internalError, "enrollment_store_error"): return .notStored
        case (.unavailable, _), (.deadlineExceeded, _), (.cancelled, _), (.unknown, _):
            return .unreachable(endpoint: "\(endpoint)", error.words)
        default: return .refused(error.message.isEmpty ? "\(error.code)" : error.message.words)
        }
    }
}
