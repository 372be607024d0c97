import ArgumentParser
import Commands
import ControlProtocol
import Runtime

/// `bondd-control rotate-secrets`
struct RotateSecretsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-secrets",
        abstract: "Create a new root secret, from which the preshared keys of invited clients are derived.",
        discussion: """
            Connected clients receive their new keys within their sessions, which continue. The previous secret stays valid until the \
            next rotation: a client that was away during one connects with its old key and receives the new one; a client that was \
            away during two has to join again.
            """)

    @OptionGroup var options: StateOptions

    @Flag(help: "Rotate even if the last rotation was less than a day ago.")
    var force = false

    func run() throws {
        let answer = try ControlClient.ask(.rotateSecrets(isForced: force), path: options.gatewaySocket)
        switch answer {
        case .failed(let sentence): throw Failure(sentence)
        case .noted(let sentence): print(sentence)
        default: break
        }
    }
}
