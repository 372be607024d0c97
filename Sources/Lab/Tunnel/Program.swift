import FoundationEssentials
import Glibc

/// One of the project's own programs, under test.
public struct Program: Sendable {
    /// The path of the executable.
    public let path: String

    /// An executable such as a script that runs another in a special environment.
    public init(path: String) { self.path = path }

    /// The executable named by the environment, such as another build; nil if it names none. Throws `noProgram`.
    public init?(named variable: String) throws(LabError) {
        guard let named = ProcessInfo.processInfo.environment[variable], !named.isEmpty else { return nil }
        guard access(named, X_OK) == 0 else { throw .noProgram("\(variable) names '\(named)', and that") }
        path = named
    }

    /// The executable named by the environment (BONDD for bondd); else the one next to the running program;
    /// else the one built below the current directory, release before debug. Throws `noProgram`.
    public init(_ name: String = "bondd") throws(LabError) {
        if let named = try Program(named: name.uppercased()) {
            self = named
            return
        }
        let places = [Self.directory, ".build/release", ".build/debug"].compactMap(\.self)
        let files = places.map { "\($0)/\(name)" }
        guard let found = files.first(where: { access($0, X_OK) == 0 }) else { throw .noProgram(name) }
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
