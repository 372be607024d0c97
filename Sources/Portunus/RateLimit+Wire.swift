import Rules

extension RateLimit {
    /// Reads a limit of the wire. One of 0 is none: a rule that may carry nothing is one that is removed.
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
    /// Reads a quota of the wire. A month that ends before it begins is over.
    init(_ message: Portunus_V1_TrafficQuotaState) {
        let start = message.periodStartedAtUnixSec
        self.init(
            monthlyBytes: message.monthlyBytes, remaining: message.budgetRemainingBytes,
            period: start..<max(start, message.periodEndsAtUnixSec), isExhausted: message.exhausted)
    }
}
