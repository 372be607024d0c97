import FoundationEssentials
import Glibc

/// A bondd to be tried: where its program is.
public struct Program: Sendable {
    /// The path of the executable.
    public let path: String

    /// What the environment's BONDD names; else the bondd beside the running program; else the one that was built
    /// below the current directory, release before debug. Throws `noProgram`.
    public init() throws(LabError) {
        if let named = ProcessInfo.processInfo.environment["BONDD"], !named.isEmpty {
            guard access(named, X_OK) == 0 else { throw .noProgram("BONDD names '\(named)', and that") }
            path = named
            return
        }
        let places = [Self.directory.map { "\($0)/bondd" }, ".build/release/bondd", ".build/debug/bondd"]
        guard let found = places.compactMap(\.self).first(where: { access($0, X_OK) == 0 }) else {
            throw .noProgram("bondd")
        }
        path = found.hasPrefix("/") ? found : FileManager.default.currentDirectoryPath + "/" + found
    }

    /// The directory of the running program.
    private static var directory: String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        guard length > 0 else { return nil }
        let bytes = buffer.prefix(length).map(UInt8.init(bitPattern:))
        let path = String(decoding: bytes, as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) }
    }
}
