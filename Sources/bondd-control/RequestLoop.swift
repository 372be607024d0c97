import CLinux
import Commands
import Control
import ControlProtocol
import Glibc

/// The main thread's loop: answers requests on the control socket and handles signals.
struct RequestLoop: ~Copyable {
    /// The signalfd, open until the program ends.
    private let signals: Int32
    private var socket: ControlSocket<ControlServiceRequest, ControlServiceResponse>?
    private var descriptor: Int32?
    /// Nil on a client, which has no requests.
    private var service: ControlService?
    /// Requests to other hosts over the network, which must not delay revocations and signals.
    private let late = LateAnswers()

    /// Handles SIGINT, SIGTERM and SIGHUP from here on, in all threads that are started later.
    init() throws {
        var mask = sigset_t()
        sigemptyset(&mask)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&mask, signal) }
        pthread_sigmask(SIG_BLOCK, &mask, nil)
        signals = signalfd(-1, &mask, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        guard signals >= 0 else {
            throw Failure("the kernel refuses a signalfd (\(String(cString: strerror(errno))))")
        }
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
            var descriptors = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
            for other in [descriptor, late.fileDescriptor].compactMap(\.self) {
                descriptors.append(pollfd(fd: other, events: Int16(POLLIN), revents: 0))
            }
            guard poll(&descriptors, nfds_t(descriptors.count), -1) > 0 else { continue }
            if let signal = takeSignal() {
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
                socket?.reply(.failed("only root may do that; run this as root"), to: call.client)
                continue
            }
            if case .enrolService = call.request {
                if !late.begin(for: call.client, { service.answer(call.request) }) {
                    socket?.reply(
                        .failed("another enrolment is in progress; wait until it has ended"), to: call.client)
                }
            } else {
                socket?.reply(service.answer(call.request), to: call.client)
            }
        }
    }

    private func takeSignal() -> Int32? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        return read(signals, &info, size) == size ? Int32(info.ssi_signo) : nil
    }
}
