import CLinux
import Glibc
import Packet
import Rules

extension RelayLoop {
    /// Records a failure of a rule's target.
    mutating func fail(_ target: Int, of number: Int) {
        services[number].pointee.order.fail(target, at: now)
        scheduleProbes(number)
    }

    /// Schedules the next probes of a rule's targets.
    mutating func scheduleProbes(_ number: Int) {
        let service = services[number]
        let next = service.pointee.order.nextProbe
        guard next < service.pointee.nextProbe, !service.pointee.isLeaving else { return }
        service.pointee.nextProbe = next
        deadlines.add(Token(.probing, number, services.generation(of: number)), at: next)
    }

    /// Probes the targets of a rule that are due.
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

    /// Starts a probe once the target's addresses are known.
    mutating func beginProbe(_ index: Int, at addresses: [IPAddress]) {
        probes[index].pointee.addresses = addresses[...]
        probeNext(index)
    }

    /// Continues with the target's next address; all of them together have the probe's time.
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
            if poller.watchChanges(socket, Token(.probe, index, probes.generation(of: index))) { return }
            break
        }
        endProbe(index, isUp: probe.pointee.isHindered && !probe.pointee.isAsked ? nil : false)
    }

    /// Records why an address could not be reached.
    private func note(_ code: Int32, of probe: UnsafeMutablePointer<Probe>) {
        if Sockets.isOwnFault(code) || Sockets.isExhausted(code) {
            probe.pointee.isHindered = true
        } else {
            probe.pointee.isAsked = true
        }
    }

    /// Handles the target's answer or refusal.
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

    /// Tells a target that expects a PROXY header that this connection is a probe (LOCAL, UNKNOWN), and closes
    /// it gracefully: a connection that sends nothing, or is reset, is logged as an error by the target each
    /// time.
    private func greet(_ probe: UnsafeMutablePointer<Probe>) {
        let target = services[Int(probe.pointee.service)].pointee.rule.targets[probe.pointee.target]
        guard let version = target.proxy else { return }
        let size = ProxyHeader(probe: version).write(to: scratch)
        // The buffer of a new connection always has room for it.
        _ = send(probe.pointee.socket, scratch.baseAddress, size, Int32(MSG_NOSIGNAL))
        close(probe.pointee.socket)
        probe.pointee.socket = -1
    }

    /// Ends a probe with its result; nil if unknown.
    mutating func endProbe(_ index: Int, isUp: Bool?) {
        let probe = probes[index]
        let number = Int(probe.pointee.service)
        // If nothing was sent, a reset is cheapest for the target.
        if probe.pointee.socket >= 0 { clinux_reset(probe.pointee.socket) }
        let target = probe.pointee.target
        probes.remove(index)
        services[number].pointee.order.probed(target, isUp: isUp, at: now)
        services[number].pointee.probes -= 1
        scheduleProbes(number)
    }

    /// Ends the probes of a rule that is being removed.
    mutating func endProbes(of number: Int) {
        guard services[number].pointee.probes > 0 else { return }
        for index in 0..<probes.end where probes.contains(index) {
            if Int(probes[index].pointee.service) == number { endProbe(index, isUp: true) }
        }
    }
}
