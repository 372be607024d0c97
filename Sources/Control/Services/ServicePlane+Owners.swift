import Glibc
import Rules

// Limits and quotas that a control plane sets for owners of rules.
extension ServicePlane {
    /// Maximum number of owners with a limit, and of owners with a quota.
    private static let mostOwners = 1024
    /// How long a quota may remain without renewal after its month has ended, in seconds.
    private static let silence: Int64 = 600

    /// Changes an owner's limit, for open connections as well.
    package func setLimit(_ limit: RateLimit?, ofOwner owner: String) {
        book.withLock { book in
            book.names?.setLimit(of: owner)
            guard limit == nil || book.limits[owner] != nil || book.limits.count < Self.mostOwners else {
                return tellTooMany(&book)
            }
            book.limits[owner] = limit
            book.unsaved.note(owner: owner)
            relay.setLimit(limit, ofOwner: owner)
        }
        changed.signal()
    }

    /// Changes an owner's quota, for open connections as well. The first one of a session may not include
    /// earlier traffic.
    package func setQuota(_ quota: Quota?, ofOwner owner: String) {
        book.withLock { book in
            let isFirst = book.names?.setQuota(of: owner) ?? false
            guard quota == nil || book.quotas[owner] != nil || book.quotas.count < Self.mostOwners else {
                return tellTooMany(&book)
            }
            var quota = quota
            if isFirst, book.quotas[owner] != nil,
                let local = relay.report().owners.first(where: { $0.owner == owner })?.quota
            {
                quota = quota?.merged(with: local)
            }
            setQuota(quota, ofOwner: owner, &book)
        }
        changed.signal()
    }

    private func setQuota(_ quota: Quota?, ofOwner owner: String, _ book: inout ServiceBook) {
        book.quotas[owner] = quota
        book.silent[owner] = nil
        book.unsaved.note(owner: owner)
        relay.setQuota(quota, ofOwner: owner)
    }

    private func tellTooMany(_ book: inout ServiceBook) {
        if book.exceeded.insert(.owners).inserted {
            log(
                .error,
                "the control plane limits more than \(Self.mostOwners) owners; the excess ones have no limit or quota here"
            )
        }
    }

    /// Lifts limits and quotas that the session has not named although it had to.
    func liftUnnamed(_ book: inout ServiceBook) {
        guard let names = book.names else { return }
        for owner in book.limits.keys where names.isGone(limitOf: owner) {
            book.limits[owner] = nil
            book.unsaved.note(owner: owner)
            relay.setLimit(nil, ofOwner: owner)
        }
        for owner in book.quotas.keys where names.isGone(quotaOf: owner) {
            setQuota(nil, ofOwner: owner, &book)
        }
    }

    /// Lifts quotas whose month has ended if the session has not renewed them for some minutes: the control
    /// plane announces each existing quota when its month begins. The minutes are measured by a clock that does
    /// not jump.
    func liftOverdue(_ book: inout ServiceBook) {
        guard case .connected? = book.plane.state, let names = book.names else { return book.silent = [:] }
        let (seconds, now) = (Int64(time(nil)), SuspendingClock.now)
        for (owner, quota) in book.quotas {
            guard seconds >= quota.period.upperBound, names.hears(endOf: quota) else {
                book.silent[owner] = nil
                continue
            }
            let since = book.silent[owner] ?? now
            book.silent[owner] = since
            if since.duration(to: now) >= .seconds(Self.silence) { setQuota(nil, ofOwner: owner, &book) }
        }
    }

    /// Takes over the remaining quotas.
    func takeQuotas() {
        guard book.withLock({ !$0.quotas.isEmpty }) else { return }
        book.withLock { book in
            // Read with the lock held: a quota set in the meantime is newer than the report.
            for owner in relay.report().owners {
                guard let quota = owner.lastingQuota, let old = book.quotas[owner.owner], old != quota else {
                    continue
                }
                book.quotas[owner.owner] = quota
                book.unsaved.note(owner: owner.owner)
            }
        }
    }
}
