import Glibc

/// An error of a lab. Each case's `description` is one sentence that says what, where and what to do.
public enum LabError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A text that is not an IP address.
    case badAddress(String)
    /// An invalid description of a link: the text, and the reason.
    case badSpec(text: String, reason: String)
    /// An invalid line for the console of `bondlab run`.
    case badCommand(text: String, reason: String)
    /// No link of this name is in the lab.
    case unknownLink(String)
    /// A namespace already has an interface of this name, or the name cannot be one.
    case badInterfaceName(String, namespace: String)
    /// All 156 address blocks of the lab are used.
    case tooManyLinks
    /// This process cannot create namespaces or TAP devices: the reason.
    case noPrivilege(String)
    /// A program of the project was not found: its path.
    case noProgram(String)
    /// A required program is not installed.
    case missingProgram(String)
    /// A system call failed, with its errno.
    case system(call: String, errno: Int32)
    /// A program ended unexpectedly.
    case failed(command: String, status: ExitStatus, errors: String)
    /// Something did not happen in time.
    case deadline(waitingFor: String, seconds: Double)
    /// A program's output could not be parsed.
    case unreadable(program: String, output: String)
    /// The lab has been closed.
    case closed

    /// One sentence that says what, where and what to do.
    public var description: String {
        switch self {
        case .badAddress(let text): "'\(text)' is not an IP address; names are not resolved here."
        case .badSpec(let text, let reason): "link '\(text)': \(reason)."
        case .badCommand(let text, let reason): "command '\(text)': \(reason)."
        case .unknownLink(let name): "There is no link '\(name)' in this lab; 'show' lists its links."
        case .badInterfaceName(let name, let namespace):
            "'\(name)' cannot be the name of a new interface in namespace '\(namespace)': it is taken, 'lo', longer "
                + "than 15 characters, or has others than letters, digits, '-', '_' and '.'."
        case .tooManyLinks: "A lab has addresses for 156 links; use a second lab for more."
        case .noPrivilege(let reason): reason
        case .noProgram(let what):
            "\(what) does not exist; build it with 'make build'."
        case .missingProgram(let name):
            "The program '\(name)' is not installed; install \(Self.package(of: name))."
        case .system(let call, let errno): "\(call) failed: \(String(cString: strerror(errno)))."
        case .failed(let command, let status, let errors):
            "'\(command)' ended with \(status)\(errors.isEmpty ? "." : ": \(errors)")"
        case .deadline(let what, let seconds): "Gave up waiting for \(what) after \(seconds) s."
        case .unreadable(let program, let output):
            "Cannot read the output of \(program): '\(output.prefix(200))'."
        case .closed: "The lab is closed; create a new one."
        }
    }

    /// The Debian package that has a program.
    private static func package(of program: String) -> String {
        switch program {
        case "ip": "the package iproute2"
        case "ping": "the package iputils-ping"
        case "unshare", "nsenter": "the package util-linux"
        default: "the package \(program)"
        }
    }
}
