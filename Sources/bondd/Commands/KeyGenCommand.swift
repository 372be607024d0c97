import ArgumentParser
import Commands
import Glibc
import Host
import Proto
import Runtime
import Settings

/// `bondd keygen`
struct KeyGenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Create a private key; print its public key, or the private key if no file is named.")

    @OptionGroup var options: GlobalOptions

    @Option(help: "The file for the private key; an existing file is never overwritten.")
    var out: String?

    func run() throws {
        var entropy = Entropy(seed: Sodium.systemSeed())
        let key = PrivateKey.generate(&entropy)
        guard let out else {
            print(key.base64)
            return
        }
        guard let bytes = Base64.decode(key.base64) else { throw SettingsError.notAKey(path: out) }
        _ = try KeyFile(creating: out, key: bytes)
        print(key.publicKey.base64)
    }
}
