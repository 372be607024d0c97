import CLinux
import FoundationEssentials
import Glibc

extension Lab {
    /// The privileges of this process.
    public enum Privilege: Equatable, Sendable {
        /// It can create namespaces and TAP devices: it is root, or root of a user namespace.
        case root
        /// None yet, but it can restart itself in its own user namespace.
        case userNamespaces
        /// None, with a sentence that says why and what to do.
        case none(reason: String)
    }

    /// Determines the privileges of this process by trying.
    public static func privilege() -> Privilege {
        // Without write access to the device no TAP can be created, whatever the user.
        let tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC)
        if tun < 0 {
            let error = errno
            let advice = error == ENOENT ? "load it with 'modprobe tun'" : "run as root, or give it mode 0666"
            return .none(reason: "Cannot open /dev/net/tun (\(String(cString: strerror(error)))); \(advice).")
        }
        Glibc.close(tun)
        if let probe = try? Namespace.make() {
            Glibc.close(probe)
            return .root
        }
        do throws(LabError) {
            try Child.run(["unshare", "--user", "--map-root-user", "--net", "--mount", "true"])
            return .userNamespaces
        } catch {
            return .none(
                reason: "Cannot make network namespaces: this is not root, and user namespaces do not work "
                    + "(\(error.description.split(separator: "\n").joined(separator: " "))).")
        }
    }

    /// Makes sure that this process can create namespaces and TAP devices: if necessary, it replaces itself by
    /// the same command in a user namespace (`unshare`), with the same process ID, and does not return. Call it
    /// before threads start. Throws `noPrivilege` or `missingProgram`.
    public static func enter() throws(LabError) {
        switch privilege() {
        case .root: return
        case .none(let reason): throw .noPrivilege(reason)
        case .userNamespaces: break
        }
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        guard getenv("BONDLAB_ENTERED") == nil, length > 0 else {
            throw .noPrivilege("Cannot make network namespaces, not even in a user namespace; run as root.")
        }
        setenv("BONDLAB_ENTERED", "1", 1)  // prevents a loop if it does not help
        let program = String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
        let arguments =
            ["unshare", "--user", "--map-root-user", "--net", "--mount", "--", program]
            + CommandLine.arguments.dropFirst()
        var argv = arguments.map { strdup($0) } + [nil]
        execvp("unshare", &argv)
        throw .missingProgram("unshare")
    }
}
