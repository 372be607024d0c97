import ControlProtocol
import Engine
import Proto
import Settings

// `bondd set client.NAME.KEY VALUE`.
extension Server {
    /// Changes a client's rates or priority: `client.NAME.rate_down` and the like.
    func set(_ key: String, _ value: String) -> Response {
        let parts = key.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts.first == "client", let field = parts.last else {
            return .failed(
                "\"\(key)\" can't be set; use mode, redundant_paths, client.NAME.rate_up, client.NAME.rate_down or client.NAME.priority"
            )
        }
        let name = parts[1..<parts.count - 1].joined(separator: ".")
        guard let peer = peer(named: name) else {
            return .failed("there is no client \"\(name)\"; see bondd clients")
        }
        var new = peer.limits
        switch field {
        case "rate_up", "rate_down":
            guard let rate = Double(value), (0...Configuration.ClientLimits.highestRate).contains(rate) else {
                return .failed("\"\(value)\" is not a rate; give Mbit/s, or 0 for none")
            }
            let bytes = PeerLimits.rate(megabits: rate)
            if field == "rate_up" { new.rateUp = bytes } else { new.rateDown = bytes }
        case "priority":
            guard let priority = UInt8(value), priority <= PeerLimits.lowestPriority else {
                return .failed("\"\(value)\" is not a priority; use 0, the first, to 3")
            }
            new.priority = priority
        default:
            return .failed("a client has no \"\(field)\" that can be set; use rate_up, rate_down or priority")
        }
        limit(peer.publicKey, to: new)
        return .ok
    }
}
