import ArgumentParser
import Packet
import Rules

/// A rule in the syntax of `bondlab forward`.
struct ForwardedRule: ExpressibleByArgument {
    let text: String
    /// Maximum total traffic in bytes; nil means unlimited.
    private(set) var quota: Quota?
    private var parsed: Rule

    /// Parses a rule; nil if it is malformed.
    init?(argument text: String) {
        self.text = text
        let words = text.split(separator: ",").map(String.init)
        let ends = (words.first ?? "").split(separator: "=").map(String.init)
        let port = ends.first?.split(separator: ":").map(String.init) ?? []
        guard ends.count == 2, port.count == 2, let transport = TransportProtocol(word: port[0]),
            let listen = UInt16(port[1]), let colon = ends[1].lastIndex(of: ":"),
            let target = UInt16(ends[1][ends[1].index(after: colon)...])
        else { return nil }
        parsed = Rule(
            id: .named(text), transport: transport, ports: listen...listen,
            targets: [RuleTarget(host: String(ends[1][..<colon]), port: target)], owner: text,
            mayLeaveTunnel: true)
        for word in words.dropFirst() where !apply(word) { return nil }
    }

    /// The rule, with its own owner.
    var rule: Rule { parsed }

    private mutating func apply(_ option: String) -> Bool {
        let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return false }
        if parts[0] == "name" {
            parsed.serverName = parts[1]
            return true
        }
        guard let number = UInt32(parts[1]) else { return false }
        switch parts[0] {
        case "in": parsed.limit.bytesIn = UInt64(number)
        case "out": parsed.limit.bytesOut = UInt64(number)
        case "rate": parsed.limit.connectionRate = number
        case "connections": parsed.limit.connections = number
        case "flows": parsed.maximumFlows = Int(number)
        case "quota":
            let bytes = Int64(number)
            quota = Quota(
                monthlyBytes: bytes, remaining: bytes, period: 0..<Int64.max, isExhausted: bytes == 0)
        default: return false
        }
        return true
    }
}
