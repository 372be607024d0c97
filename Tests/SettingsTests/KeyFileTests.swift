import Glibc
import TestSupport
import Testing

@testable import Settings

@Suite struct KeyFileTests {
    let directory = TemporaryDirectory()
    let key = (0..<32).map { UInt8($0 * 7) }

    @Test func whatIsWrittenIsRead() throws {
        let path = directory.path + "/a.key"
        let written = try KeyFile(creating: path, key: key)
        #expect(directory.mode(of: "a.key") == 0o600)
        let read = try KeyFile(reading: path)
        #expect(read == written && read.key == key && read.path == path)
    }

    @Test func nothingIsOverwritten() throws {
        let path = directory.path + "/a.key"
        let first = try KeyFile(creating: path, key: key)
        #expect(throws: SettingsError.keyFileExists(path: path)) {
            _ = try KeyFile(creating: path, key: [UInt8](repeating: 1, count: 32))
        }
        #expect(try KeyFile(reading: path) == first)
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o644, 0o601] as [mode_t])
    func othersMustNotReadIt(mode: mode_t) {
        directory.file("open.key", Base64.encode(key), mode: mode)
        let path = directory.path + "/open.key"
        #expect(throws: SettingsError.keyFileOpen(path: path)) { _ = try KeyFile(reading: path) }
        #expect(SettingsError.keyFileOpen(path: path).description.hasSuffix("run: chmod 600 \(path)"))
    }

    @Test(arguments: ["", "\n", "AAAA", "not base64", String(repeating: "A", count: 300)])
    func whatIsNoKeyIsRefused(text: String) {
        directory.file("bad.key", text)
        let path = directory.path + "/bad.key"
        #expect(throws: SettingsError.notAKey(path: path)) { _ = try KeyFile(reading: path) }
    }

    @Test func aMissingFileAndADirectoryAreErrors() {
        let path = directory.path + "/none.key"
        #expect(throws: SettingsError.file("read the key file", path: path, errno: ENOENT)) {
            _ = try KeyFile(reading: path)
        }
        #expect(throws: SettingsError.notAKey(path: directory.path)) {
            _ = try KeyFile(reading: directory.path)
        }
    }

    @Test func theKeyIsNeverShown() throws {
        let key = [UInt8](repeating: 171, count: 32)
        let file = try KeyFile(creating: directory.path + "/a.key", key: key)
        var shown = "\(file) \(String(reflecting: file))"
        dump(file, to: &shown)
        #expect(!shown.contains("171") && !shown.contains(Base64.encode(key)))
    }
}
