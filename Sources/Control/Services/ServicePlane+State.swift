import Portunus
import Rules

// What is remembered of a control plane.
extension ServicePlane {
    /// From here on rules come from that control plane. What it had pushed before a restart is carried at once, control plane or
    /// not; what another one had pushed ends.
    func begin(with bundle: Bundle) {
        // A control plane whose certificate is renewed is the same one to its clients.
        let key = bundle.clientID ?? "\(bundle.clientName) \(bundle.pin)"
        book.withLock { book in
            book.endpoint = bundle.endpoint
            book.plane = .connecting(nil)
            book.missing = nil
            if book.key == key { return }
            forget(&book)
            book.key = key
            do throws(ControlError) {
                restore(try store.services(of: key), &book)
            } catch {
                log(
                    .error, "what the control plane had pushed is not known until it is there again: \(error)"
                )
            }
        }
        changed.signal()
    }

    /// There is no control plane although there should be; a sentence why.
    func miss(because problem: String) {
        book.withLock { $0.missing = problem }
    }

    private func restore(_ services: ServiceChange, _ book: inout ServiceBook) {
        for (owner, limit) in services.limits {
            book.limits[owner] = limit
            relay.setLimit(limit, ofOwner: owner)
        }
        for (owner, quota) in services.quotas {
            book.quotas[owner] = quota
            relay.setQuota(quota, ofOwner: owner)
        }
        for (_, rule) in services.rules.sorted(by: { $0.key < $1.key }) {
            guard var rule else { continue }
            rule.mayLeaveTunnel = book.pushedMayLeave
            add(rule, &book, retries: true, mayHaveShare: true)
        }
    }

    /// Ends what a control plane has pushed, and leaves what is stored of it.
    private func forget(_ book: inout ServiceBook) {
        for id in book.services.keys where id.source == "portunus" { remove(id, &book) }
        for owner in book.limits.keys { relay.setLimit(nil, ofOwner: owner) }
        for owner in book.quotas.keys { relay.setQuota(nil, ofOwner: owner) }
        (book.limits, book.quotas, book.silent) = ([:], [:], [:])
        book.names = nil
        (book.unsaved, book.unsavedOwners) = ([], [])
    }

    /// Stores what has changed. What could not be stored is tried again the next time.
    /// - Parameter withQuotas: whether what is left of quotas is stored as well, which changes with every byte.
    func save(withQuotas: Bool) {
        if withQuotas { takeQuotas() }
        let (key, change) = book.withLock { book in
            var change = ServiceChange()
            for number in book.unsaved {
                let service = book.services[.pushed(number)]
                change.rules.updateValue(service?.failure == nil ? service?.rule : nil, forKey: number)
            }
            for owner in book.unsavedOwners {
                change.limits.updateValue(book.limits[owner], forKey: owner)
                change.quotas.updateValue(book.quotas[owner], forKey: owner)
            }
            (book.unsaved, book.unsavedOwners) = ([], [])
            return (book.key, change)
        }
        guard let key, !change.isEmpty else { return }
        do throws(ControlError) {
            try store.save(change, of: key)
        } catch {
            book.withLock { book in
                book.unsaved.formUnion(change.rules.keys)
                book.unsavedOwners.formUnion(change.limits.keys)
            }
            log(.error, "what the control plane has pushed is not stored now, but later: \(error)")
        }
    }
}
