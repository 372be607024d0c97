import FoundationEssentials
import Glibc

/// A `wireguard-go` for comparison.
public struct WireGuardProgram: Sendable {
    /// The path of the executable.
    public let path: String
    /// The version of its package, or "unknown".
    public let version: String

    /// The executable named by the environment (WIREGUARD_GO), or the one that `scripts/fetch-wireguard-go`
    /// left below the current directory. Throws `missingProgram`.
    public init() throws(LabError) {
        let named = ProcessInfo.processInfo.environment["WIREGUARD_GO"] ?? ""
        let file = named.isEmpty ? ".build/wireguard-go/wireguard-go" : named
        guard access(file, X_OK) == 0 else { throw .missingProgram(named.isEmpty ? "wireguard-go" : named) }
        let absolute = file.hasPrefix("/") ? file : FileManager.default.currentDirectoryPath + "/" + file
        path = absolute
        let directory = absolute.lastIndex(of: "/").map { absolute[..<$0] } ?? ""
        let text = try? String(contentsOfFile: "\(directory)/version", encoding: .utf8)
        version = text.map { String($0.prefix { $0 != "\n" }) } ?? "unknown"
    }
}
