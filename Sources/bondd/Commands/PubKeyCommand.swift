import ArgumentParser
import Commands
import Proto
import Runtime

/// `bondd pubkey < FILE`
struct PubKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pubkey", abstract: "Read a private key from standard input; print its public key.")

    @OptionGroup var options: GlobalOptions

    func run() throws {
        guard let line = readLine(), let key = PrivateKey(base64: line) else {
            throw Failure(
                "standard input holds no private key; give it the 44 characters that bondd keygen wrote")
        }
        print(key.publicKey.base64)
    }
}
