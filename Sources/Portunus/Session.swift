import Glibc
import Rules
import Runtime
import Settings

/// One conversation with the control plane, from Welcome to whatever ends it: what comes is brought to the keeper, and what is to
/// be said is put into `outgoing`. The keeper is called from here alone, one call at a time.
actor Session {
    /// The most that waits to be sent. A control plane that pushes on without reading answers gets no more.
    static let mostOutgoing = 65536
    /// The most rules of which the session remembers that it named them: four times what a keeper takes on, for those it refused.
    private static let mostNamed = 16384
    /// The longest name of a request that is answered, in bytes; the control plane's are UUIDs.
    private static let longestRequest = 256
    /// About how many bytes of rules' figures a report has at most: half of what the control plane's gRPC takes.
    private static let longestReport = 2 << 20

    /// What the session has said of a rule.
    private struct Naming {
        /// Whether targets were given as a list, so that there are figures for each.
        var listsTargets = false
        /// Whether it has a limit, so that there are figures of what that did.
        var isLimited = false
        /// Whether such figures were told, so that they are told again when they are 0.
        var toldLimit = false
    }

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
    /// When the last rule was pushed, or Welcome came: not by a clock that goes on while the host sleeps.
    private(set) var lastPush = SuspendingClock.now
    /// What reports have told, over all sessions.
    private(set) var ledger: ReportLedger
    /// The rules that the control plane was asked for, in this session or before, and has not named since.
    private(set) var asked: Set<UInt64>
    private var hasUnreadable = false
    /// What was pushed and not removed.
    private var named: [UInt64: Naming] = [:]

    /// - Parameters:
    ///   - version: what this program is, as the control plane shows it.
    ///   - ledger: the last session's, as `asked`.
    init(
        keeper: any RuleKeeper, log: Log, version: String, patience: Duration,
        ledger: ReportLedger = ReportLedger(), asked: Set<UInt64> = []
    ) {
        self.keeper = keeper
        self.log = log
        self.patience = patience
        self.ledger = ledger
        self.asked = asked
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

    /// A message of `outgoing` is on its way.
    func sent(_ message: Portunus_V1_ClientMessage) {
        if case .statsReport = message.payload { ledger.send() }
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
        ledger.begin()
        // The ranges are the contract's.
        keeper.welcome(
            flowIdle: number(message.udpFlowIdleSecs, 30...300),
            maximumFlows: number(message.udpMaxFlowsPerRule, 1...65535))
        isWelcome = true
        lastPush = .now
        keeper.stateChanged(.connected)
        log(.debug, "the control plane says welcome", ["version": message.serverVersion.words])
        welcomed.finish()
    }

    private func receive(_ update: Portunus_V1_RuleUpdate) {
        // Without a rule, nothing is known of which; 0 is a number like others.
        guard update.hasRule, update.requestID.utf8.count <= Self.longestRequest else { return }
        let number = update.rule.ruleID
        let acknowledgement = Acknowledgement(of: update.requestID, rule: number, to: sender)
        switch update.action {
        case .push:
            if named.count < Self.mostNamed { named[number] = named[number] ?? Naming() }
            push(PushedRule(update.rule), acknowledgement)
            lastPush = .now
        case .remove:
            named[number] = nil
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
            named[pushed.number]?.listsTargets = rule.listsTargets
            named[pushed.number]?.isLimited = !rule.limit.isUnlimited
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
        guard update.ownerID.isIdentifier else { return }
        switch update.action {
        case .set:
            let limit = RateLimit(update.rateLimit)
            keeper.setLimit(limit.isUnlimited ? nil : limit, ofOwner: update.ownerID)
        case .remove: keeper.setLimit(nil, ofOwner: update.ownerID)
        case .unspecified, .UNRECOGNIZED: break
        }
    }

    private func receive(_ update: Portunus_V1_TrafficQuotaUpdate) {
        guard update.userID.isIdentifier else { return }
        switch update.action {
        case .set where update.hasState: keeper.setQuota(Quota(update.state), ofOwner: update.userID)
        case .remove: keeper.setQuota(nil, ofOwner: update.userID)
        case .set, .unspecified, .UNRECOGNIZED: break
        }
    }

    /// Tells the control plane that rules are active that are carried and that it has not named. It never names those again whose
    /// first answer it has not seen, unless it is told so; what it does not know at all it skips.
    /// - Returns: whether there are any of which it was not told before, so that another session may name them.
    func ask() -> Bool {
        guard !Task.isCancelled else { return false }
        let missing = keeper.carried().subtracting(named.keys)
        let new = missing.subtracting(asked)
        asked = missing
        for number in new.sorted() { Acknowledgement(of: "", rule: number, to: sender).give(nil) }
        if !new.isEmpty {
            log(
                .info, "the control plane does not name rules that are carried, and is asked once more",
                ["rules": "\(new.count)"])
        }
        return !new.isEmpty
    }

    /// The session has had time enough to name its rules: others are stopped.
    func reconcile() {
        guard !Task.isCancelled else { return }
        keeper.keep(only: Set(named.keys))
    }

    /// Says what the rules have carried that this session has named; others, and those that were removed, are none to the control
    /// plane.
    func report() {
        guard !Task.isCancelled, let report = keeper.report() else { return }
        ledger.keep(report)
        let time = Clock.wall / 1_000_000
        let rules = report.rules.filter { rule in
            guard case .pushed(let number) = rule.id else { return false }
            return named[number] != nil
        }
        for part in ServiceReport(rules: rules, listeners: report.listeners, owners: report.owners).parts(
            of: Self.longestReport)
        where !part.rules.isEmpty {
            let figures = ledger.add(part)
            guard var message = Portunus_V1_StatsReport(figures, listing: listing, time: time) else {
                ledger.withdraw()
                continue
            }
            for index in message.stats.indices { tellLimit(&message.stats[index]) }
            if case .dropped = sender.yield(.with { $0.statsReport = message }) { ledger.withdraw() }
        }
    }

    private var listing: Set<UInt64> { Set(named.lazy.filter(\.value.listsTargets).map(\.key)) }

    /// Figures of limits are for rules that have one; once told, they are told again when nothing is open any more, as the control
    /// plane shows the last ones.
    private func tellLimit(_ stats: inout Portunus_V1_RuleStats) {
        let number = stats.ruleID
        if named[number]?.isLimited != true && named[number]?.toldLimit != true {
            stats.clearRateLimit()
        } else if stats.hasRateLimit {
            named[number]?.toldLimit = true
        } else if named[number]?.toldLimit == true {
            stats.rateLimit = Portunus_V1_RateLimitStats()
        }
    }
}

extension ServiceReport {
    /// The report in parts of about that many bytes on the wire; ports and owners are in the first.
    fileprivate func parts(of size: Int) -> [ServiceReport] {
        var parts = [ServiceReport(listeners: listeners, owners: owners)]
        var room = size
        for rule in rules {
            // Tags, numbers that are large, and names of targets.
            let taken = 256 + 64 * rule.ports.count + 384 * rule.targets.count
            if taken > room && !parts[parts.count - 1].rules.isEmpty {
                parts.append(ServiceReport())
                room = size
            }
            parts[parts.count - 1].rules.append(rule)
            room -= taken
        }
        return parts
    }
}
