import ArgumentParser
import Packet
import Rules

/// A rule as `bondlab forward` takes it.
struct ForwardedRule: ExpressibleByArgument {
    let text: String
    private let parsed: Rule

    /// Nil when the text means nothing.
    init?(argument text: String) {
        self.text = text
        let words = text.split(separator: ",").map(String.init)
        let ends = (words.first ?? "").split(separator: "=").map(String.init)
        let port = ends.first?.split(separator: ":").map(String.init) ?? []
        guard ends.count == 2, port.count == 2, let transport = Transport(rawValue: port[0]),
            let listen = UInt16(port[1]), let colon = ends[1].lastIndex(of: ":"),
            let target = UInt16(ends[1][ends[1].index(after: colon)...])
        else { return nil }
        var rule = Rule(
            id: .named(text), transport: transport, ports: listen...listen,
            targets: [RuleTarget(host: String(ends[1][..<colon]), port: target)], mayLeaveTunnel: true)
        for word in words.dropFirst() where !Self.apply(word, to: &rule) { return nil }
        parsed = rule
    }

    /// The rule under a name.
    func rule(id: RuleID) -> Rule {
        var rule = parsed
        rule.id = id
        return rule
    }

    private static func apply(_ option: String, to rule: inout Rule) -> Bool {
        let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return false }
        if parts[0] == "name" {
            rule.serverName = parts[1]
            return true
        }
        guard let number = UInt32(parts[1]) else { return false }
        switch parts[0] {
        case "in": rule.limit.bytesIn = UInt64(number)
        case "out": rule.limit.bytesOut = UInt64(number)
        case "rate": rule.limit.connectionRate = number
        case "connections": rule.limit.connections = number
        case "flows": rule.maximumFlows = Int(number)
        default: return false
        }
        return true
    }
}
