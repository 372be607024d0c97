import Rules

/// What reports have told a control plane, so that each byte is told once.
///
/// The control plane adds up the differences between what it is told, and keeps the last figures in memory alone: one that was
/// restarted takes the first figures that it is told for new. Counters are therefore told as if they had begun with the session.
/// Each thing's first report of a session has zeros, from which a control plane that was not restarted goes on; later ones have what
/// was carried since the last report of an earlier session, the time without a session included.
struct ReportLedger: Sendable {
    private var rules = Counters<RuleReport>()
    private var listeners = Counters<NameListenerReport>()
    private var owners = Counters<OwnerReport>()
    /// What reports count that are not sent yet, in their order.
    private var unsent: [ServiceReport] = []

    /// A session begins, or another one.
    mutating func begin() {
        rules.begin()
        listeners.begin()
        owners.begin()
        unsent = []
    }

    /// A report as this session is to be told it. `send` has to follow when it is on its way, in the order of the reports.
    mutating func add(_ report: ServiceReport) -> ServiceReport {
        var (told, counted) = (ServiceReport(), ServiceReport())
        for rule in report.rules { rules.add(rule, &told.rules, &counted.rules) }
        for listener in report.listeners { listeners.add(listener, &told.listeners, &counted.listeners) }
        for owner in report.owners { owners.add(owner, &told.owners, &counted.owners) }
        unsent.append(counted)
        return told
    }

    /// The first report that was not sent yet is on its way. It counts as taken, as what is told twice would be billed twice.
    mutating func send() {
        guard !unsent.isEmpty else { return }
        let counted = unsent.removeFirst()
        rules.take(counted.rules)
        listeners.take(counted.listeners)
        owners.take(counted.owners)
    }

    /// The last report is not sent.
    mutating func withdraw() { unsent.removeLast() }

    /// Forgets what there is no more, as its name may be given to something else.
    /// - Parameter report: all that there is, whether the session is told of it or not.
    mutating func keep(_ report: ServiceReport) {
        rules.keep(report.rules)
        listeners.keep(report.listeners)
        owners.keep(report.owners)
    }
}

/// The counters of things of one kind.
private struct Counters<Report: CumulativeReport>: Sendable {
    /// Where the counters of a thing stood when the session's began, and where they stand.
    private struct Told: Sendable {
        let base: Report
        var last: Report
    }

    /// Where counters stood in the last report that was taken.
    private var taken: [Report.Key: Report] = [:]
    /// What this session was told.
    private var told: [Report.Key: Told] = [:]

    mutating func begin() { told = [:] }

    /// Adds a thing's figures as the session is told them, and where its counters stand when it was.
    mutating func add(_ report: Report, _ figures: inout [Report], _ counted: inout [Report]) {
        let key = report.key
        if let before = told[key], !report.isBelow(before.last) {
            told[key]?.last = report
            figures.append(report.since(before.base))
            counted.append(report)
            return
        }
        // Nothing of a new thing was ever taken, nor of another one by the same name.
        var base = report.uncounted
        if told[key] == nil, let before = taken[key], !report.isBelow(before) { base = before }
        told[key] = Told(base: base, last: report)
        figures.append(report.uncounted)
        counted.append(base)
    }

    mutating func take(_ reports: [Report]) {
        for report in reports { taken[report.key] = report }
    }

    mutating func keep(_ reports: [Report]) {
        let keys = Set(reports.map(\.key))
        taken = taken.filter { keys.contains($0.key) }
        told = told.filter { keys.contains($0.key) }
    }
}
