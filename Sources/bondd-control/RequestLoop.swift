import Commands
import Control
import ControlProtocol
import Glibc
import Runtime

/// What the main thread does: answers requests on the control socket and takes signals.
struct RequestLoop: ~Copyable {
    /// Open until the program ends.
    private let signals: SignalFD
    private var socket: ControlSocket<ControlServiceRequest, ControlServiceResponse>?
    private var descriptor: Int32?
    /// Nil on a client, which has no requests.
    private var service: ControlService?
    /// What asks others over the network may not keep revocations and signals waiting.
    private let late: LateAnswers

    /// Takes SIGINT, SIGTERM and SIGHUP from here on, in all threads that are started later.
    init() throws(RuntimeError) {
        let late = try LateAnswers()
        signals = try SignalFD([SIGINT, SIGTERM, SIGHUP])
        self.late = late
    }

    /// Listens for requests to `service`.
    mutating func listen(on path: String, for service: ControlService) throws(SocketError) {
        let new = try ControlSocket<ControlServiceRequest, ControlServiceResponse>(path: path)
        descriptor = new.fileDescriptor
        socket = consume new
        self.service = service
    }

    /// Runs until a signal ends the program.
    mutating func run() {
        while true {
            var descriptors = [pollfd(fd: signals.fileDescriptor, events: Int16(POLLIN), revents: 0)]
            for other in [descriptor, late.fileDescriptor].compactMap(\.self) {
                descriptors.append(pollfd(fd: other, events: Int16(POLLIN), revents: 0))
            }
            guard poll(&descriptors, nfds_t(descriptors.count), -1) > 0 else { continue }
            if let signal = signals.take() {
                guard signal == SIGHUP else { return }
                service?.reload()
            }
            answer()
        }
    }

    private mutating func answer() {
        guard let service, let calls = socket?.takeRequests() else { return }
        if let answer = late.take() { socket?.reply(answer.response, to: answer.client) }
        for call in calls {
            guard call.peer.isPrivileged else {
                socket?.reply(.failed("only root may do that; run it as root"), to: call.client)
                continue
            }
            if case .enrolService = call.request {
                if !late.begin(for: call.client, { service.answer(call.request) }) {
                    socket?.reply(
                        .failed("an enrolment is under way; wait until it has ended"), to: call.client)
                }
            } else {
                socket?.reply(service.answer(call.request), to: call.client)
            }
        }
    }
}
