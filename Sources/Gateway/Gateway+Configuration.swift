import Messages
import Settings

// Following the configuration that bondd has in force.
extension Gateway {
    /// Reads the configuration again, and takes it when bondd has it: its networks, clients and services take effect at once, the
    /// rest with a restart.
    public func reload() { follow(isAsked: true) }

    /// The text to start with: the file's, or the one that was in force here last if bondd still has that.
    /// - Throws: `ConfigurationError` when the file can't be read and is needed.
    public static func text(
        of file: String, store: Store, socket: String, log: Log
    ) throws -> ConfigurationFile {
        let kept = try store.configuration(of: file)
        if let kept, case .has(let status) = bondd(socket), status.digest == kept.digest,
            (try? ConfigurationFile(reading: file))?.digest != kept.digest
        {
            log(.warning, "\(file) is not what bondd has in force; going by what it has")
            return kept
        }
        return try ConfigurationFile(reading: file)
    }

    /// Compares its configuration with bondd's, and takes bondd's if they differ.
    /// - Parameter isAsked: whether a reload was requested.
    /// - Returns: whether the state agrees with what bondd has.
    @discardableResult
    func follow(isAsked: Bool = false) -> Bool {
        let isNew = turns.withLock { turn in
            let bondd = Self.bondd(socket)
            do {
                return try follow(bondd, isAsked: isAsked || turn.isAwaited, &turn)
            } catch {
                log(.error, "the configuration stays as it was: \(error)")
                return false
            }
        }
        if isNew { handOver() }
        return isAgreed
    }

    /// - Returns: whether a handover is due because of it.
    private func follow(_ bondd: Agreement.Bondd, isAsked: Bool, _ turn: inout Turn) throws -> Bool {
        let text = Result { () throws(ConfigurationError) in try ConfigurationFile(reading: file) }
        let kept = try store.configuration(of: file)
        let own = current.text
        let agreement = Agreement(
            bondd: bondd, own: own?.digest, file: look(at: text), kept: kept?.digest, isAsked: isAsked)
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
                log(.error, "the configuration stays as it was: \(reason)")
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

    /// After a reload: asks bondd again until it has taken the file or refused it.
    func awaitBondd() {
        let (isDue, isLate) = turns.withLock { turn in
            guard turn.isAwaited else { return (false, false) }
            let isLate = ContinuousClock.now - turn.awaitedSince > Self.patience
            if isLate { turn.isAwaited = false }
            return (true, isLate)
        }
        guard isDue else { return }
        if isLate {
            log(
                .warning,
                "bondd has not taken \(file); it takes effect here when bondd has it: systemctl reload bondd, or restart bondd"
            )
        } else {
            follow()
        }
    }

    /// The time that bondd has to read its file after both were told to.
    private static let patience = Duration.seconds(3)

    private func look(at text: Result<ConfigurationFile, ConfigurationError>) -> Agreement.File {
        do {
            let text = try text.get()
            var file = Agreement.File(digest: text.digest)
            do {
                let new = try text.configuration(keys: .leave)
                guard case .server = new.role else {
                    file.problem = "the role changes only with a restart"
                    return file
                }
                // Without the present text only the networks can be compared.
                file.canReplace =
                    (try? current.text?.configuration(keys: .leave)).map { new.canReplace($0) }
                    ?? (new.tunnel.addresses == current.plan.tunnelAddresses)
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
        try store.setConfiguration(text)
        set(plan, text)
        services?.reload(new.tunnel, server)
        link?.start(bundleFile: server.portunus?.bundleFile)
        log(.info, "the configuration was read again")
    }

    private static func bondd(_ socket: String) -> Agreement.Bondd {
        guard case .status(let status)? = try? ControlClient.ask(.status, path: socket, timeout: 1000) else {
            return .absent
        }
        return status.configuration.map { .has($0) } ?? .older
    }
}
