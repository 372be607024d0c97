import Portunus
import Rules

// The stored state of a control plane.
extension ServicePlane {
    /// Starts following that control plane. Rules that it pushed before a restart are carried at once, whether
    /// or not it is connected; those of another one end.
    func begin(with bundle: Bundle) {
        book.withLock { book in
            guard book.plane.follow(bundle), let key = book.plane.key else { return }
            forget(&book)
            do throws(ControlError) {
                restore(try store.services(of: key), &book)
            } catch {
                log(
                    .error,
                    "the control plane's stored rules cannot be read, and apply again once it is connected: \(error)"
                )
            }
        }
        changed.signal()
    }

    /// Reports that there is no control plane although one is configured, with a sentence why.
    func miss(because problem: String) {
        book.withLock { $0.plane.problem = problem }
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

    /// Ends the rules that a control plane has pushed, and keeps its stored state.
    private func forget(_ book: inout ServiceBook) {
        for id in book.services.keys where id.source == "portunus" { remove(id, &book) }
        for owner in book.limits.keys { relay.setLimit(nil, ofOwner: owner) }
        for owner in book.quotas.keys { relay.setQuota(nil, ofOwner: owner) }
        (book.limits, book.quotas, book.silent) = ([:], [:], [:])
        book.names = nil
        book.unsaved = UnsavedChanges()
    }

    /// Stores changes. Those that could not be stored are retried at the next call.
    /// - Parameter withQuotas: whether to store remaining quotas as well, which change with every byte.
    func save(withQuotas: Bool) {
        if withQuotas { takeQuotas() }
        let (key, change) = book.withLock { book in
            var change = ServiceChange()
            for number in book.unsaved.rules {
                let service = book.services[.pushed(number)]
                change.rules.updateValue(service?.failure == nil ? service?.rule : nil, forKey: number)
            }
            for owner in book.unsaved.owners {
                change.limits.updateValue(book.limits[owner], forKey: owner)
                change.quotas.updateValue(book.quotas[owner], forKey: owner)
            }
            book.unsaved = UnsavedChanges()
            return (book.plane.key, change)
        }
        guard let key, !change.isEmpty else { return }
        do throws(ControlError) {
            try store.save(change, of: key)
        } catch {
            book.withLock { $0.unsaved.restore(change) }
            log(.error, "the control plane's rules cannot be stored now and will be stored later: \(error)")
        }
    }
}
