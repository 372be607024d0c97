import CLinux
import Glibc
import Packet
import Rules

extension RelayLoop {
    /// A target of a rule does not work.
    mutating func fail(_ target: Int, of number: Int) {
        services[number].pointee.order.fail(target, at: now)
        scheduleProbes(number)
    }

    /// Has a rule's targets probed when that is due.
    mutating func scheduleProbes(_ number: Int) {
        let service = services[number]
        let next = service.pointee.order.nextProbe
        guard next < service.pointee.nextProbe, !service.pointee.isLeaving else { return }
        service.pointee.nextProbe = next
        deadlines.add(Token(.probing, number, services.generation(of: number)), at: next)
    }

    /// Probes those targets of a rule that are due.
    mutating func startProbes(_ number: Int, at instant: Instant) {
        let service = services[number]
        guard instant == service.pointee.nextProbe, !service.pointee.isLeaving else { return }
        service.pointee.nextProbe = .never
        for target in service.pointee.order.startProbes(at: now) {
            let index = probes.insert(Probe(service: Int32(number), target: target))
            let token = Token(.probe, index, probes.generation(of: index))
            service.pointee.probes += 1
            deadlines.add(token, at: now + TargetOrder.probePatience)
            switch find(target, of: number, for: token) {
            case .addresses(let addresses): beginProbe(index, at: addresses)
            case .later: break
            case .nowhere: endProbe(index, isUp: false)
            }
        }
        scheduleProbes(number)
    }

    /// The target that is probed is there.
    mutating func beginProbe(_ index: Int, at addresses: [IPAddress]) {
        probes[index].pointee.addresses = addresses[...]
        probeNext(index)
    }

    /// Goes on with the target's next address; all of them together have the probe's time.
    private mutating func probeNext(_ index: Int) {
        let probe = probes[index]
        let port = services[Int(probe.pointee.service)].pointee.rule.targets[probe.pointee.target].port
        while let address = probe.pointee.addresses.popFirst() {
            let socket = Sockets.connect(
                to: Endpoint(address: address, port: port), by: reach.way(to: address), transport: .tcp)
            guard socket >= 0 else {
                note(socket, of: probe)
                continue
            }
            probe.pointee.socket = socket
            if poller.watch(socket, Token(.probe, index, probes.generation(of: index)), for: .changes) {
                return
            }
            break
        }
        endProbe(index, isUp: probe.pointee.isHindered && !probe.pointee.isAsked ? nil : false)
    }

    /// Takes down what kept an address from being reached.
    private func note(_ code: Int32, of probe: UnsafeMutablePointer<Probe>) {
        if Sockets.isOwnFault(code) || Sockets.isExhausted(code) {
            probe.pointee.isHindered = true
        } else {
            probe.pointee.isAsked = true
        }
    }

    /// The target answered, or refused.
    mutating func finishProbe(_ index: Int) {
        let probe = probes[index]
        let code = clinux_socket_error(probe.pointee.socket)
        if code == 0 {
            greet(probe)
            return endProbe(index, isUp: true)
        }
        note(code, of: probe)
        close(probe.pointee.socket)
        probe.pointee.socket = -1
        probeNext(index)
    }

    /// Tells a target that wants to know whose connection it is that it is a probe's (LOCAL, UNKNOWN), and says good-bye: one that
    /// says nothing, or is reset, is an error in the target's log each time.
    private func greet(_ probe: UnsafeMutablePointer<Probe>) {
        let target = services[Int(probe.pointee.service)].pointee.rule.targets[probe.pointee.target]
        guard let version = target.proxy else { return }
        let size = ProxyHeader(probe: version).write(to: scratch)
        // A new connection has room for it.
        _ = send(probe.pointee.socket, scratch.baseAddress, size, Int32(MSG_NOSIGNAL))
        close(probe.pointee.socket)
        probe.pointee.socket = -1
    }

    /// Ends a probe, with what came of it; nil: nothing is known.
    mutating func endProbe(_ index: Int, isUp: Bool?) {
        let probe = probes[index]
        let number = Int(probe.pointee.service)
        // Without a byte said, a reset is what costs the target least.
        if probe.pointee.socket >= 0 { clinux_reset(probe.pointee.socket) }
        let target = probe.pointee.target
        probes.remove(index)
        services[number].pointee.order.probed(target, isUp: isUp, at: now)
        services[number].pointee.probes -= 1
        scheduleProbes(number)
    }

    /// Ends the probes of a rule that is being taken away.
    mutating func endProbes(of number: Int) {
        guard services[number].pointee.probes > 0 else { return }
        for index in 0..<probes.end where probes.contains(index) {
            if Int(probes[index].pointee.service) == number { endProbe(index, isUp: true) }
        }
    }
}
