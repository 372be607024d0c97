import ControlProtocol
import Runtime
import Settings

// Following the configuration that bondd has in force.
extension ControlService {
    /// Reads the configuration again, and adopts it once bondd has: networks, clients and services take effect
    /// at once, the rest with a restart.
    package func reload() { follow(isAsked: true) }

    /// The text to start with: the file's, unless bondd has the text that was last in force here and cannot
    /// adopt the file's.
    /// - Throws: `ConfigurationError` if the file is needed and cannot be read.
    package static func text(
        of file: String, store: Store, socket: String, log: Log
    ) throws -> ConfigurationFile {
        let text = Result { () throws(ConfigurationError) in try ConfigurationFile(reading: file) }
        guard let kept = try store.configuration(of: file), case .has(let status) = bondd(socket),
            status.digest == kept.digest
        else { return try text.get() }
        let look = look(at: text, replacing: kept, status.addresses)
        let agreement = Agreement(
            bondd: .has(status), own: look.digest, file: look, kept: kept.digest, isAsked: false)
        guard agreement.step == .takeKept else { return try text.get() }
        log(.warning, "\(file) is not the configuration bondd has in force; following bondd's")
        return kept
    }

    /// Compares its configuration with bondd's, and adopts bondd's if they differ.
    /// - Parameters:
    ///   - isAsked: whether a reload was requested.
    ///   - isLate: whether bondd has had time to read the file since the request.
    /// - Returns: whether the state agrees with bondd's configuration.
    @discardableResult
    func follow(isAsked: Bool = false, isLate: Bool = false) -> Bool {
        let isNew = turns.withLock { turn in
            let bondd = Self.bondd(socket)
            do {
                return try follow(bondd, isAsked: isAsked || turn.isAwaited, isLate: isLate, &turn)
            } catch {
                log(.error, "the configuration is unchanged: \(error)")
                return false
            }
        }
        if isNew { handOver() }
        return isAgreed
    }

    /// - Returns: whether a handover is due because of this.
    private func follow(
        _ bondd: Agreement.Bondd, isAsked: Bool, isLate: Bool, _ turn: inout Turn
    ) throws -> Bool {
        let text = Result { () throws(ConfigurationError) in try ConfigurationFile(reading: file) }
        let kept = try store.configuration(of: file)
        let own = current.text
        // bondd's text, if it is known; the present one if bondd does not report any.
        let base =
            bondd.digest.map { digest in [own, kept].compactMap(\.self).first { $0.digest == digest } } ?? own
        let addresses = bondd.addresses ?? current.plan.tunnelAddresses.map(\.description)
        let agreement = Agreement(
            bondd: bondd, own: own?.digest, file: Self.look(at: text, replacing: base, addresses),
            kept: kept?.digest, isAsked: isAsked, isLate: isLate)
        var isNew = false
        let wasAwaited = turn.isAwaited
        turn.isAwaited = false
        switch agreement.step {
        case .keep: turn.refusal = ""
        case .takeFile:
            try take(try text.get())
            (isNew, turn.refusal) = (true, "")
        case .takeKept:
            if let kept { try take(kept) }
            isNew = true
        case .borrow(let addresses):
            let networks = addresses.compactMap { CIDR($0) }
            if networks != current.plan.tunnelAddresses {
                let plan = current.plan.with(networks)
                for sentence in try store.reconcile(with: plan) { log(.warning, sentence) }
                set(plan, own)
                isNew = true
            }
        case .wait:
            turn.isAwaited = true
            if !wasAwaited { turn.awaitedSince = .now }
        case .refuse(let reason):
            if isAsked || reason != turn.refusal {
                log(.error, "the configuration is unchanged: \(reason)")
            }
            turn.refusal = reason
        }
        if bondd != .absent {
            // The state may date from another configuration, before a restart.
            if !isAgreed {
                for sentence in try store.reconcile(with: currentPlan) { log(.warning, sentence) }
            }
            agree(on: bondd.digest)
            if let text = current.text, text.digest == bondd.digest { try store.setConfiguration(text) }
        }
        return isNew
    }

    /// After a reload: queries bondd again until it has adopted the file or refused it.
    func awaitBondd() {
        let (isDue, isLate) = turns.withLock { turn in
            (turn.isAwaited, ContinuousClock.now - turn.awaitedSince > Self.patience)
        }
        guard isDue else { return }
        follow(isLate: isLate)
        guard isLate,
            turns.withLock({ turn in
                defer { turn.isAwaited = false }
                return turn.isAwaited
            })
        else { return }
        log(
            .warning,
            "bondd has not loaded \(file) yet; it takes effect here once bondd has: systemctl reload bondd, or restart bondd"
        )
    }

    /// Time for bondd to read its file after both were told to.
    private static let patience = Duration.milliseconds(1500)

    /// - Parameters:
    ///   - base: the text to be replaced; nil if only its tunnel's `addresses` are known.
    private static func look(
        at text: Result<ConfigurationFile, ConfigurationError>, replacing base: ConfigurationFile?,
        _ addresses: [String]
    ) -> Agreement.File {
        do {
            let text = try text.get()
            var file = Agreement.File(digest: text.digest)
            do {
                let new = try text.configuration(keys: .leave)
                guard case .server = new.role else {
                    file.problem = "the role changes only with a restart"
                    return file
                }
                file.canReplace =
                    (try? base?.configuration(keys: .leave)).map { new.canReplace($0) }
                    ?? (new.tunnel.addresses.map(\.description) == addresses)
            } catch {
                file.problem = "\(error)"
            }
            return file
        } catch {
            return Agreement.File(problem: "\(error)")
        }
    }

    private func take(_ text: ConfigurationFile) throws {
        let new = try text.configuration(keys: .leave)
        guard case .server(let server) = new.role else { return }
        let plan = Plan(file: file, tunnel: new.tunnel, server: server)
        for sentence in try store.reconcile(with: plan) { log(.warning, sentence) }
        set(plan, text)
        services?.reload(new.tunnel, server)
        link?.start(bundleFile: server.portunus?.bundleFile)
        log(.info, "configuration reloaded")
    }

    private static func bondd(_ socket: String) -> Agreement.Bondd {
        guard let status = try? ControlClient.get(.status, path: socket, timeout: 1000) else {
            return .absent
        }
        return status.configuration.map { .has($0) } ?? .older
    }
}
