import FoundationEssentials
import Glibc
import Runtime
import Settings

extension Bundle {
    /// The file's keys, which are the control plane's.
    private struct File: Codable {
        /// Nil: 1.
        var version: Int?
        var client_name: String
        var client_id: String?
        var server_endpoint: String
        var server_cert_sha256: String
        var token: String
    }

    private static let version = 1
    /// Many times what one takes.
    private static let longest = 65536

    /// Reads a bundle file; keys that it should not have are skipped.
    /// - Throws: `bundle`.
    public init(reading path: String) throws(PortunusError) {
        var facts = stat()
        if stat(path, &facts) == 0, facts.st_mode & 0o077 != 0 {
            throw .bundle(path: path, "can be read by others; run: chmod 600 \(path)")
        }
        let text: String
        do {
            text = try TextFile.read(path, limit: Self.longest)
        } catch {
            let missing = error.isMissing ? "; make it with: bondd portunus enroll URI" : ""
            throw .bundle(path: path, error.sentence + missing)
        }
        // The decoder's own words may quote the file, and with it the token.
        guard let file = try? JSONDecoder().decode(File.self, from: Data(text.utf8)) else {
            throw .bundle(
                path: path,
                "is no bundle, or not a whole one; make one with: bondd portunus enroll URI")
        }
        guard file.version ?? Self.version == Self.version else {
            throw .bundle(
                path: path,
                "is of version \(file.version ?? 0), and only version 1 is known; update this program")
        }
        self.init(
            clientName: file.client_name, clientID: file.client_id, endpoint: file.server_endpoint,
            pin: file.server_cert_sha256.lowercased(), token: file.token)
        if let fault {
            throw .bundle(path: path, "is no use: \(fault); make one with: bondd portunus enroll URI")
        }
    }

    /// Replaces the file (0600) as a whole, and returns when it is on the disk.
    /// - Throws: `unwritable`; what was there stays then.
    public func write(to path: String) throws(PortunusError) {
        let file = File(
            version: Self.version, client_name: clientName, client_id: clientID, server_endpoint: endpoint,
            server_cert_sha256: pin, token: token)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(file) else { throw .unwritable("the bundle is no JSON") }
        do {
            try StateFile.replace(path, with: Array(data) + [UInt8(ascii: "\n")])
        } catch {
            throw .unwritable("\(error)")
        }
    }

    /// Why it can't be used; nil: it can.
    var fault: String? {
        if HostPort(endpoint) == nil { return "its server_endpoint is no HOST:PORT" }
        if Pin(pin) == nil { return "its server_cert_sha256 is not 64 hexadecimal digits" }
        // What a header may hold (RFC 9110 5.5) and no space, as it is sent as one.
        let isToken = !token.isEmpty && token.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        return isToken ? nil : "its token is empty or has characters that none has"
    }
}
