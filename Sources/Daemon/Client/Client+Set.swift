import ControlProtocol
import Packet
import Proto
import Settings

// `bondd set path.NAME.KEY VALUE`.
extension Client {
    /// Changes a value of a client's path, such as `path.NAME.role`.
    func set(_ key: String, _ value: String, now: Instant) -> Response {
        let parts = key.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts.first == "path", let field = parts.last else {
            return .failed(
                "\"\(key)\" can't be set; use mode, redundant_paths, path.NAME.role, path.NAME.cap, path.NAME.data_cap or path.NAME.data_used"
            )
        }
        let name = parts[1..<parts.count - 1].joined(separator: ".")
        guard let path = paths.first(where: { $0.configuration.name == name }) else {
            let names = paths.map(\.configuration.name).joined(separator: ", ")
            return .failed("there is no path \"\(name)\"; the paths are \(names)")
        }
        switch field {
        case "role":
            guard let role = PathRole(word: value) else {
                return .failed("\"\(value)\" is not a role; use \(PathRole.listed)")
            }
            path.configuration.role = role
        case "cap":
            guard let cap = Double(value), cap >= 0, cap <= 1e6 else {
                return .failed("\"\(value)\" is not a cap; give Mbit/s, or 0 for none")
            }
            path.configuration.cap = cap
        case "data_cap":
            guard let cap = Double(value), cap >= 0, cap <= 1e6 else {
                return .failed("\"\(value)\" is not a data cap; give GB a month, or 0 for none")
            }
            path.configuration.dataCap = cap
            checkUsage(now: now)
            return .ok
        case "data_used": return setUsage(value, of: path, now: now).map { .failed($0) } ?? .ok
        default:
            return .failed(
                "a path has no \"\(field)\" that can be set; use role, cap, data_cap or data_used")
        }
        path.isKnownToEngine = false
        follow(path, now: now)
        updateRouting(now: now)
        return .ok
    }
}
