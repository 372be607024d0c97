import Rules

/// The figures reported to a control plane, so that each byte is reported once.
///
/// The control plane adds up the differences between successive reports, and keeps the last figures only in
/// memory: after a restart it counts the first figures it receives as new. Counters are therefore reported as
/// if they had started with the session. The first report of each object in a session has zeros, from which a
/// control plane that was not restarted continues; later ones include the traffic since the last report of an
/// earlier session, and so the time without a session.
struct ReportLedger: Sendable {
    private var rules = Counters<RuleReport>()
    private var listeners = Counters<NameListenerReport>()
    private var owners = Counters<OwnerReport>()
    /// The figures in reports that have not been sent yet, in order.
    private var unsent: [ServiceReport] = []

    /// Begins a session.
    mutating func begin() {
        rules.begin()
        listeners.begin()
        owners.begin()
        unsent = []
    }

    /// The report as it should be sent in this session. `send` must follow once it is on its way, in the order
    /// of the reports.
    mutating func add(_ report: ServiceReport) -> ServiceReport {
        var (told, counted) = (ServiceReport(), ServiceReport())
        for rule in report.rules { rules.add(rule, &told.rules, &counted.rules) }
        for listener in report.listeners { listeners.add(listener, &told.listeners, &counted.listeners) }
        for owner in report.owners { owners.add(owner, &told.owners, &counted.owners) }
        unsent.append(counted)
        return told
    }

    /// Marks the first unsent report as sent. It counts as received, because a report sent twice would be
    /// billed twice.
    mutating func send() {
        guard !unsent.isEmpty else { return }
        let counted = unsent.removeFirst()
        rules.take(counted.rules)
        listeners.take(counted.listeners)
        owners.take(counted.owners)
    }

    /// Drops the last report, which will not be sent.
    mutating func withdraw() { unsent.removeLast() }

    /// Removes objects that no longer exist, as their names may be reused.
    /// - Parameter report: all existing objects, whether or not they are reported in the session.
    mutating func keep(_ report: ServiceReport) {
        rules.keep(report.rules)
        listeners.keep(report.listeners)
        owners.keep(report.owners)
    }
}

/// The counters of objects of one kind.
private struct Counters<Report: CumulativeReport>: Sendable {
    /// The counters of an object when the session's counters started, and now.
    private struct Told: Sendable {
        let base: Report
        var last: Report
    }

    /// The counters in the last report that was received.
    private var taken: [Report.Key: Report] = [:]
    /// The counters reported in this session.
    private var told: [Report.Key: Told] = [:]

    mutating func begin() { told = [:] }

    /// Adds an object's figures for the session, and its counters at that moment.
    mutating func add(_ report: Report, _ figures: inout [Report], _ counted: inout [Report]) {
        let key = report.key
        if let before = told[key], !report.isBelow(before.last) {
            told[key]?.last = report
            figures.append(report.since(before.base))
            counted.append(report)
            return
        }
        // A new object, or another one with the same name, has not been reported yet.
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
