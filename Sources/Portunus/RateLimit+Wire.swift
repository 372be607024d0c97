import Rules

extension RateLimit {
    /// Reads a limit from the wire. 0 means unlimited: a rule that may carry nothing would be removed instead.
    init(_ message: Portunus_V1_RateLimit) {
        func limit<Number: BinaryInteger>(_ number: Number) -> Number? { number == 0 ? nil : number }
        self.init(
            bytesIn: limit(message.bandwidthInBps), bytesOut: limit(message.bandwidthOutBps),
            connectionRate: limit(message.newConnectionsPerSec),
            connections: limit(message.concurrentConnections),
            burstIn: limit(message.bandwidthInBurst), burstOut: limit(message.bandwidthOutBurst),
            connectionBurst: limit(message.newConnectionsBurst))
    }
}

extension Quota {
    /// Reads a quota from the wire. A month that ends before it begins is over.
    init(_ message: Portunus_V1_TrafficQuotaState) {
        let start = message.periodStartedAtUnixSec
        self.init(
            monthlyBytes: message.monthlyBytes, remaining: message.budgetRemainingBytes,
            period: start..<max(start, message.periodEndsAtUnixSec), isExhausted: message.exhausted)
    }
}
