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
                "there is no private key on standard input; pass the 44 characters that bondd keygen printed")
        }
        print(key.publicKey.base64)
    }
}
