import Glibc
import Rules
import Runtime
import Settings

/// One session with the control plane, from Welcome to its end: passes incoming messages to the keeper, and
/// queues outgoing ones in `outgoing`. The keeper is called only from here, one call at a time.
actor Session {
    /// Maximum number of queued messages. A control plane that pushes on without reading answers gets no more.
    static let mostOutgoing = 65536
    /// Maximum number of rules remembered as named by the session: four times what a keeper accepts, to include
    /// refused ones.
    private static let mostNamed = 16384
    /// Maximum length of a request ID that is answered, in bytes; the control plane's are UUIDs.
    private static let longestRequest = 256
    /// Approximate maximum size of the rules' figures in a report, in bytes: half of what the control plane's
    /// gRPC accepts.
    private static let longestReport = 2 << 20

    /// Statements of the session about a rule.
    private struct Naming {
        /// Whether targets were given as a list, so that each is reported.
        var listsTargets = false
        /// Whether it has a limit, so that the limit's effect is reported.
        var isLimited = false
        /// Whether the limit's effect has been reported, so that a return to 0 is reported, too.
        var toldLimit = false
    }

    /// The queue of outgoing messages.
    nonisolated let outgoing: AsyncStream<Portunus_V1_ClientMessage>
    /// Ends with the first Welcome.
    nonisolated let welcome: AsyncStream<Never>

    private let keeper: any RuleKeeper
    private let log: Log
    private let patience: Duration
    private let sender: AsyncStream<Portunus_V1_ClientMessage>.Continuation
    private let welcomed: AsyncStream<Never>.Continuation
    private(set) var isWelcome = false
    /// When the last rule was pushed, or Welcome arrived: on a clock that stops while the host sleeps.
    private(set) var lastPush = SuspendingClock.now
    /// The figures reported, over all sessions.
    private(set) var ledger: ReportLedger
    /// The rules queried from the control plane, in this session or before, that it has not named since.
    private(set) var asked: Set<UInt64>
    private var hasUnreadable = false
    /// The rules pushed and not removed.
    private var named: [UInt64: Naming] = [:]

    /// - Parameters:
    ///   - version: this program's version, as displayed by the control plane.
    ///   - ledger: the previous session's, like `asked`.
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
        // The control plane sends nothing, not even headers, before it has received this.
        sender.yield(
            .with {
                $0.hello = .with {
                    $0.protocolVersion = "1.0.0"
                    $0.clientVersion = version
                    $0.supportedProtocols = [.tcp, .udp]
                }
            })
    }

    /// Closes the queue of outgoing messages, and stops waiting for Welcome.
    nonisolated func close() {
        sender.finish()
        welcomed.finish()
    }

    /// Records that a message of `outgoing` is on its way.
    func sent(_ message: Portunus_V1_ClientMessage) {
        if case .statsReport = message.payload { ledger.send() }
    }

    /// Handles a message from the control plane; an empty one is skipped.
    func receive(_ message: Portunus_V1_ServerMessage) {
        guard !Task.isCancelled else { return }
        switch message.payload {
        case .welcome(let welcome): receive(welcome)
        case .ruleUpdate(let update): receive(update)
        case .ownerRateLimitUpdate(let update): receive(update)
        case .trafficQuotaUpdate(let update): receive(update)
        case nil:
            // Later versions may send messages that this one does not know.
            if !hasUnreadable { log(.debug, "skipped an unknown message from the control plane") }
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
        log(.debug, "welcome from the control plane", ["version": message.serverVersion.words])
        welcomed.finish()
    }

    private func receive(_ update: Portunus_V1_RuleUpdate) {
        // Without a rule there is nothing to act on; the number 0 is valid.
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
        // The intent is unknown, and FAILED would be permanent.
        case .unspecified, .UNRECOGNIZED: break
        }
    }

    private func push(_ pushed: PushedRule, _ acknowledgement: Acknowledgement) {
        switch pushed.rule {
        case .failure(let refusal):
            log(
                .error, "invalid rule from the control plane",
                ["rule": "\(pushed.number)", "reason": "\(refusal)"])
            acknowledgement.give(refusal)
        case .success(let rule):
            named[pushed.number]?.listsTargets = rule.listsTargets
            named[pushed.number]?.isLimited = !rule.limit.isUnlimited
            keeper.push(rule) { acknowledgement.give($0) }
        }
        guard !acknowledgement.isGiven else { return }
        // Slowness is temporary, and FAILED is permanent: report the expected result; if it turns out
        // otherwise, the replay of the next session corrects it.
        Task { [log, patience] in
            try? await Task.sleep(for: patience)
            guard acknowledgement.give(nil) else { return }
            log(.warning, "carrying a rule takes long", ["rule": "\(pushed.number)"])
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

    /// Reports rules as active that are carried and that the control plane has not named. It never names a rule
    /// again whose first answer it has not seen, unless it receives this; rules that it does not know at all it
    /// skips.
    /// - Returns: whether there are any it was not asked about before, so that another session may name them.
    func ask() -> Bool {
        guard !Task.isCancelled else { return false }
        let missing = keeper.carried().subtracting(named.keys)
        let new = missing.subtracting(asked)
        asked = missing
        for number in new.sorted() { Acknowledgement(of: "", rule: number, to: sender).give(nil) }
        if !new.isEmpty {
            log(
                .info, "asking the control plane again about rules in force that it did not name",
                ["rules": "\(new.count)"])
        }
        return !new.isEmpty
    }

    /// Stops rules that the session has had enough time to name and has not.
    func reconcile() {
        guard !Task.isCancelled else { return }
        keeper.keep(only: Set(named.keys))
    }

    /// Reports the traffic of the rules that this session has named; others, and removed ones, mean nothing to
    /// the control plane.
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

    /// Adds figures of limits for rules that have one; once reported, they are reported again when no
    /// connection is left, as the control plane displays the last ones.
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
    /// Splits the report into parts of about that many bytes on the wire; ports and owners are in the first.
    fileprivate func parts(of size: Int) -> [ServiceReport] {
        var parts = [ServiceReport(listeners: listeners, owners: owners)]
        var room = size
        for rule in rules {
            // Tags, large numbers, and names of targets.
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

/// Why a session is over, or never began.
enum SessionEnd: Error, Equatable {
    /// The control plane ended it without an error, as when another session of the same client begins.
    case closed
    /// This end ended it, in order to learn once more which rules exist.
    case asked
    /// The connection or the stream failed, or was never established: the reason.
    case broken(String)
    /// The control plane no longer knows the token: its reason.
    case unauthorized(String)
    /// A server with another certificate answered.
    case wrongCertificate
}
