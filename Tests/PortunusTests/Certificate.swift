import Foundation
import TestSupport

/// A self-signed certificate and its key, created by openssl.
struct Certificate {
    /// PEM files.
    let file: String
    let key: String
    /// As printed by openssl, in upper case.
    let pin: String

    init(_ name: String, in directory: TemporaryDirectory, isExpired: Bool = false) throws {
        file = "\(directory.path)/\(name).pem"
        key = "\(directory.path)/\(name).key"
        let request = "\(directory.path)/\(name).csr"
        try Self.openssl([
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
            "/CN=\(name)", "-keyout", key, "-out", request,
        ])
        let days = isExpired ? "-1" : "30"
        try Self.openssl(["x509", "-req", "-in", request, "-signkey", key, "-days", days, "-out", file])
        let printed = try Self.openssl(["x509", "-in", file, "-noout", "-fingerprint", "-sha256"])
        pin = printed.split(separator: "=").last!.filter { $0.isHexDigit }
    }

    /// A key that claims to be this certificate's but is another one's: the other's private half with this
    /// one's public half (RFC 5915).
    func forgedKey(from other: Certificate, in directory: TemporaryDirectory) throws -> String {
        func der(_ key: String) throws -> [UInt8] {
            let path = "\(directory.path)/key.der"
            try Self.openssl(["ec", "-in", key, "-outform", "DER", "-out", path])
            return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        }
        // 121 bytes: SEQUENCE, version, OCTET STRING of 32 bytes from 7 on, the curve, BIT STRING of the public half at the end.
        var forged = try der(key)
        let private_ = try der(other.key)
        precondition(forged.count == 121 && private_.count == 121)
        forged.replaceSubrange(7..<39, with: private_[7..<39])
        let path = "\(directory.path)/forged.key"
        let text = Data(forged).base64EncodedString(options: .lineLength64Characters)
        try "-----BEGIN EC PRIVATE KEY-----\n\(text)\n-----END EC PRIVATE KEY-----\n".write(
            toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @discardableResult
    private static func openssl(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        struct Failure: Error { let arguments: [String] }
        guard process.terminationStatus == 0 else { throw Failure(arguments: arguments) }
        return String(decoding: data, as: UTF8.self)
    }
}
