import ControlProtocol
import Dispatch
import Glibc
import Rules

// bondd's part: the kernel carries the simple services.
extension ServicePlane {
    /// Keeps bondd and the state's file in agreement with the rules, until `stop`.
    /// - Parameter seconds: the interval between two queries of the kernel's counters.
    package func run(every seconds: Double = 1) {
        var next = ContinuousClock.now
        while goesOn {
            if changed.wait(timeout: .now() + seconds) == .success {
                // Batches changes that arrive together.
                usleep(50_000)
                while changed.wait(timeout: .now()) == .success {}
            }
            book.withLock { book in
                tryAgain(&book)
                liftOverdue(&book)
                book.decideWays()
            }
            // Services handed to bondd must be known after a restart, or their connections would end.
            save(withQuotas: .now >= next)
            if .now >= next { next = .now + .seconds(seconds) }
            poll()
            handOver()
        }
        save(withQuotas: true)
        relay.stop()
    }

    /// Queries the kernel's counters from bondd, if it carries any services.
    func poll() {
        let asks = book.withLock { book in
            book.services.values.contains { $0.share != .none } || !book.leaving.isEmpty
        }
        guard asks,
            let counters = try? ControlClient.get(.serviceCounters, path: socket, timeout: 2000)
        else {
            book.withLock { sweep(&$0, isKnown: false) }
            return
        }
        book.withLock { book in
            book.kernel.note(run: counters.run)
            let more = book.meter.take(counters)
            for service in Array(book.services.values) + book.leaving {
                guard let owner = service.rule.owner, book.quotas[owner] != nil,
                    let bytes = more[service.name], bytes > 0
                else { continue }
                relay.consume(bytes, ofOwner: owner)
            }
            sweep(&book, isKnown: true)
        }
    }

    /// Drops rules without remaining connections.
    /// - Parameter isKnown: whether bondd has just reported the open connections.
    private func sweep(_ book: inout ServiceBook, isKnown: Bool) {
        let draining = Set((book.kernel.accepted ?? []).filter { !$0.accepts }.map(\.rule))
        func isThrough(_ service: Service) -> Bool {
            service.share == .none
                || isKnown && draining.contains(service.name) && !book.meter.isOpen(service.name)
        }
        for (id, service) in book.services where service.share == .draining && isThrough(service) {
            book.services[id]!.share = .none
        }
        if !book.leaving.isEmpty {
            let now = ContinuousClock.now
            let open = Set(
                relay.report().rules.filter { $0.traffic.connections + $0.traffic.flows > 0 }.map(\.id))
            book.leaving.removeAll { service in
                service.end.map { $0 <= now } ?? true || isThrough(service) && !open.contains(service.rule.id)
            }
        }
        book.meter.keep(Set((Array(book.services.values) + book.leaving).map(\.name)))
    }

    /// Hands bondd the services for the kernel, if they differ from those it has.
    func handOver() {
        let exhausted = exhaustedOwners()
        let services: [HandedService]? = book.withLock { book in
            let services = book.services { exhausted.contains($0) }
            return book.kernel.isDue(services) ? services : nil
        }
        guard let services else { return }
        do {
            switch try ControlClient.ask(.carry(services), path: socket) {
            case .failed(let sentence) where !services.isEmpty: note(sentence)
            case .carried(let refused):
                book.withLock { $0.kernel.accept(services, refused: refused) }
                note(refused.min { $0.key < $1.key }?.value ?? "")
            default:
                book.withLock { $0.kernel.accept(services, refused: [:]) }
                note("")
            }
        } catch {
            book.withLock { $0.kernel.forget() }
            log(.debug, "cannot hand the services to bondd: \(error)")
        }
    }

    /// Logs once why bondd does not carry a service.
    private func note(_ sentence: String) {
        if book.withLock({ $0.kernel.note(refusal: sentence) }) {
            log(
                .error,
                "the kernel cannot carry some services, so this program does: \(sentence)")
        }
    }

    private func exhaustedOwners() -> Set<String> {
        guard book.withLock({ !$0.quotas.isEmpty }) else { return [] }
        return Set(relay.report().owners.filter { $0.quota?.isExhausted == true }.map(\.owner))
    }
}
