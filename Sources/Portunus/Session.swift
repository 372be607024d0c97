import Glibc
import Rules
import Settings

/// One conversation with the control plane, from Welcome to whatever ends it: what comes is brought to the keeper, and what is to
/// be said is put into `outgoing`. The keeper is called from here alone, one call at a time.
actor Session {
    /// The most that waits to be sent. A control plane that pushes on without reading answers gets no more.
    static let mostOutgoing = 65536

    /// What is to be sent.
    nonisolated let outgoing: AsyncStream<Portunus_V1_ClientMessage>
    /// Ends with the first Welcome.
    nonisolated let welcome: AsyncStream<Never>

    private let keeper: any RuleKeeper
    private let log: Log
    private let patience: Duration
    private let sender: AsyncStream<Portunus_V1_ClientMessage>.Continuation
    private let welcomed: AsyncStream<Never>.Continuation
    private(set) var isWelcome = false
    private var hasUnreadable = false
    /// What was pushed and not removed; nil once it has been reconciled.
    private var named: Set<UInt64>? = []
    /// Rules whose targets were given as a list.
    private var listing: Set<UInt64> = []

    /// - Parameter version: what this program is, as the control plane shows it.
    init(keeper: any RuleKeeper, log: Log, version: String, patience: Duration) {
        self.keeper = keeper
        self.log = log
        self.patience = patience
        (outgoing, sender) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.mostOutgoing))
        (welcome, welcomed) = AsyncStream.makeStream()
        // The control plane answers nothing, not even with headers, before it has this.
        sender.yield(
            .with {
                $0.hello = .with {
                    $0.protocolVersion = "1.0.0"
                    $0.clientVersion = version
                    $0.supportedProtocols = [.tcp, .udp]
                }
            })
    }

    /// Nothing more is sent, and nobody waits for Welcome.
    nonisolated func close() {
        sender.finish()
        welcomed.finish()
    }

    /// Takes in what the control plane says; an empty message is skipped.
    func receive(_ message: Portunus_V1_ServerMessage) {
        guard !Task.isCancelled else { return }
        switch message.payload {
        case .welcome(let welcome): receive(welcome)
        case .ruleUpdate(let update): receive(update)
        case .ownerRateLimitUpdate(let update): receive(update)
        case .trafficQuotaUpdate(let update): receive(update)
        case nil:
            // Later versions may say what this one does not know.
            if !hasUnreadable { log(.debug, "the control plane says something unknown; it is skipped") }
            hasUnreadable = true
        }
    }

    private func receive(_ message: Portunus_V1_Welcome) {
        guard !isWelcome else { return }
        func number(_ value: UInt32, _ range: ClosedRange<UInt32>) -> Int? {
            value == 0 ? nil : Int(min(max(value, range.lowerBound), range.upperBound))
        }
        // The ranges are the contract's.
        keeper.welcome(
            flowIdle: number(message.udpFlowIdleSecs, 30...300),
            maximumFlows: number(message.udpMaxFlowsPerRule, 1...65535))
        isWelcome = true
        keeper.stateChanged(.connected)
        log(.debug, "the control plane says welcome", ["version": message.serverVersion.prefixed])
        welcomed.finish()
    }

    private func receive(_ update: Portunus_V1_RuleUpdate) {
        let number = update.rule.ruleID
        let acknowledgement = Acknowledgement(of: update.requestID, rule: number, to: sender)
        switch update.action {
        case .push:
            named?.insert(number)
            push(PushedRule(update.rule), acknowledgement)
        case .remove:
            named?.remove(number)
            if keeper.remove(number) {
                acknowledgement.giveRemoved()
            } else {
                acknowledgement.give(.unknownRuleID)
            }
        // Nothing is known of what it wants, and FAILED is for good.
        case .unspecified, .UNRECOGNIZED: break
        }
    }

    private func push(_ pushed: PushedRule, _ acknowledgement: Acknowledgement) {
        switch pushed.rule {
        case .failure(let refusal):
            log(
                .error, "a rule of the control plane makes no sense",
                ["rule": "\(pushed.number)", "reason": "\(refusal)"])
            acknowledgement.give(refusal)
        case .success(let rule):
            if rule.listsTargets { listing.insert(pushed.number) }
            keeper.push(rule) { acknowledgement.give($0) }
        }
        guard !acknowledgement.isGiven else { return }
        // Being slow passes, and FAILED does not: the control plane is told what will be true, and if it is not, the next
        // session's replay has it right.
        Task { [log, patience] in
            try? await Task.sleep(for: patience)
            guard acknowledgement.give(nil) else { return }
            log(.warning, "a rule takes long to be carried", ["rule": "\(pushed.number)"])
        }
    }

    private func receive(_ update: Portunus_V1_OwnerRateLimitUpdate) {
        guard !update.ownerID.isEmpty else { return }
        switch update.action {
        case .set:
            let limit = RateLimit(update.rateLimit)
            keeper.setLimit(limit.isUnlimited ? nil : limit, ofOwner: update.ownerID)
        case .remove: keeper.setLimit(nil, ofOwner: update.ownerID)
        case .unspecified, .UNRECOGNIZED: break
        }
    }

    private func receive(_ update: Portunus_V1_TrafficQuotaUpdate) {
        guard !update.userID.isEmpty else { return }
        switch update.action {
        case .set where update.hasState: keeper.setQuota(Quota(update.state), ofOwner: update.userID)
        case .remove: keeper.setQuota(nil, ofOwner: update.userID)
        case .set, .unspecified, .UNRECOGNIZED: break
        }
    }

    /// The session has had time enough to name its rules: others are stopped.
    func reconcile() {
        guard !Task.isCancelled, let named else { return }
        self.named = nil
        keeper.keep(only: named)
    }

    /// Says what rules have carried.
    func report() {
        guard !Task.isCancelled, let report = keeper.report() else { return }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let time = UInt64(clamping: now.tv_sec * 1000 + now.tv_nsec / 1_000_000)
        guard let message = Portunus_V1_StatsReport(report, listing: listing, time: time) else { return }
        // Rules that were refused or are gone have no figures.
        listing.formIntersection(message.stats.map(\.ruleID))
        sender.yield(.with { $0.statsReport = message })
    }
}
