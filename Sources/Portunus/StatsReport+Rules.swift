import Rules

extension Portunus_V1_StatsReport {
    /// The wire form of the pushed rules' traffic; nil if there are no such rules.
    /// - Parameters:
    ///   - listing: rules whose targets were given as a list; others have no figures for each target.
    ///   - time: the current Unix time in milliseconds.
    init?(_ report: ServiceReport, listing: Set<UInt64>, time: UInt64) {
        let rules = report.rules.compactMap { Portunus_V1_RuleStats($0, listing: listing) }
        guard !rules.isEmpty else { return nil }
        self.init()
        sentAtUnixMs = time
        stats = rules
        sniListenerStats = report.listeners.map(Portunus_V1_SniListenerStats.init)
        ownerRateLimitStats = report.owners.map { owner in
            .with {
                $0.ownerID = owner.owner
                $0.stats = Portunus_V1_RateLimitStats(owner.limit)
            }
        }
    }
}

extension Portunus_V1_RuleStats {
    /// The traffic of a rule; nil if it was not pushed.
    init?(_ report: RuleReport, listing: Set<UInt64>) {
        guard case .pushed(let number) = report.id else { return nil }
        self.init()
        ruleID = number
        bytesIn = report.traffic.bytesIn
        bytesOut = report.traffic.bytesOut
        activeConnections = UInt32(clamping: report.traffic.connections)
        datagramsIn = report.traffic.datagramsIn
        datagramsOut = report.traffic.datagramsOut
        activeFlows = UInt32(clamping: report.traffic.flows)
        perPort = report.ports.map(Portunus_V1_PerPortStats.init)
        if listing.contains(number) {
            perTarget = report.targets.enumerated().map { Portunus_V1_PerTargetStats($1, index: $0) }
        }
        dnsFailures = report.failedLookups
        flowsDroppedOverflow = report.droppedFlows
        targetFailoversTotal = report.healthChanges
        sniRouteExactTotal = report.exactNames
        sniRouteWildcardTotal = report.wildcardNames
        sniRouteFallbackTotal = report.fallbacks
        if report.limit != LimitReport() { rateLimit = Portunus_V1_RateLimitStats(report.limit) }
    }
}

extension Portunus_V1_PerPortStats {
    init(_ report: PortReport) {
        self.init()
        listenPort = UInt32(report.port)
        bytesIn = report.traffic.bytesIn
        bytesOut = report.traffic.bytesOut
        activeConnections = UInt32(clamping: report.traffic.connections)
        datagramsIn = report.traffic.datagramsIn
        datagramsOut = report.traffic.datagramsOut
    }
}

extension Portunus_V1_PerTargetStats {
    /// - Parameter index: its position among the rule's targets.
    init(_ report: TargetReport, index: Int) {
        self.init()
        self.index = UInt32(clamping: index)
        host = report.target.host
        port = UInt32(report.target.port)
        priority = report.target.priority
        health = report.isHealthy ? 0 : 1
        consecutiveFailures = report.consecutiveFailures
        lastFailureAtUnixMs = report.lastFailure
        lastSuccessAtUnixMs = report.lastSuccess
        bytesIn = report.bytesIn
        bytesOut = report.bytesOut
        connectionsAccepted = report.accepted
    }
}

extension Portunus_V1_SniListenerStats {
    init(_ report: NameListenerReport) {
        self.init()
        listenPort = UInt32(report.port)
        sniRouteMissTotal = report.misses
        clientHelloParseFailuresTotal = report.parseFailures
        clientHelloPeekBucketCounts = report.buckets
        clientHelloPeekSumMicros = report.microseconds
        clientHelloPeekCount = report.count
    }
}

extension Portunus_V1_RateLimitStats {
    /// The effect of limits; reasons without rejections are left out.
    init(_ report: LimitReport) {
        self.init()
        rejectTotal = report.rejects.enumerated().filter { $1 > 0 }.compactMap { index, total in
            Portunus_V1_RateLimitRejectReason(rawValue: index + 1).map { reason in
                .with {
                    $0.reason = reason
                    $0.total = total
                }
            }
        }
        throttleMicrosIn = report.throttledIn
        throttleMicrosOut = report.throttledOut
        activeConnections = report.connections
    }
}
