import FoundationEssentials
import Glibc
import Runtime
import Settings

extension Bundle {
    /// The file's keys, as defined by the control plane.
    private struct File: Codable {
        /// The version; nil means 1.
        var version: Int?
        var client_name: String
        var client_id: String?
        var server_endpoint: String
        var server_cert_sha256: String
        var token: String
    }

    private static let version = 1
    /// Maximum size of the file in bytes, many times that of a real one.
    private static let longest = 65536

    /// Reads a bundle file; unknown keys are ignored.
    /// - Throws: `bundle`.
    package init(reading path: String) throws(PortunusError) {
        var facts = stat()
        if stat(path, &facts) == 0, facts.st_mode & 0o077 != 0 {
            throw .bundle(path: path, "can be read by others; run: chmod 600 \(path)")
        }
        let text: String
        do {
            text = try TextFile.read(path, limit: Self.longest)
        } catch {
            let missing = error.isMissing ? "; create it with: bondd portunus enroll URI" : ""
            throw .bundle(path: path, error.sentence + missing)
        }
        // The decoder's own message may quote the file, and with it the token.
        guard let file = try? JSONDecoder().decode(File.self, from: Data(text.utf8)) else {
            throw .bundle(
                path: path,
                "is not a complete bundle; create one with: bondd portunus enroll URI")
        }
        guard file.version ?? Self.version == Self.version else {
            throw .bundle(
                path: path,
                "is of version \(file.version ?? 0), and only version 1 is supported; update this program")
        }
        self.init(
            clientName: file.client_name, clientID: file.client_id, endpoint: file.server_endpoint,
            pin: file.server_cert_sha256.lowercased(), token: file.token)
        if let fault {
            throw .bundle(path: path, "is unusable: \(fault); create one with: bondd portunus enroll URI")
        }
    }

    /// Replaces the file (0600) as a whole, and returns once it is on disk.
    /// - Throws: `unwritable`; the old file is then kept.
    package func write(to path: String) throws(PortunusError) {
        let file = File(
            version: Self.version, client_name: clientName, client_id: clientID, server_endpoint: endpoint,
            server_cert_sha256: pin, token: token)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(file) else {
            throw .unwritable("the bundle cannot be encoded as JSON")
        }
        do {
            try StateFile.replace(path, with: Array(data) + [UInt8(ascii: "\n")])
        } catch {
            throw .unwritable("\(error)")
        }
    }

    /// Why the bundle is unusable; nil if it is usable.
    var fault: String? {
        if HostPort(endpoint) == nil { return "its server_endpoint is not HOST:PORT" }
        if Pin(pin) == nil { return "its server_cert_sha256 is not 64 hexadecimal digits" }
        // Characters permitted in a header (RFC 9110 5.5) except space, because it is sent as a header.
        let isToken = !token.isEmpty && token.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        return isToken ? nil : "its token is empty or has invalid characters"
    }
}
