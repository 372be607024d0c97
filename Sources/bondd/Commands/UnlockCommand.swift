import ArgumentParser
import Commands
import ControlProtocol
import Host

/// `bondd unlock`
struct UnlockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Lift the kill switch, whether bondd runs or not.",
        discussion:
            "It is on again once bondd starts or reads its configuration, unless that has kill_switch = false. While the configuration can't be read, it stays off."
    )

    @OptionGroup var options: GlobalOptions

    @OptionGroup var state: StateDirectoryOption

    func run() throws {
        // A running daemon would restore a kill switch that is merely removed; one that does not answer must
        // not keep the host locked.
        let answer = try? ControlClient.ask(.unlock, path: options.socket)
        let lifted = try FirewallSocket().liftKillSwitches(directory: state.stateDirectory)
        if answer == .ok || !lifted.isEmpty {
            print("the kill switch is lifted: traffic may leave outside the tunnel")
        } else {
            print("there is no kill switch to lift; traffic may leave outside the tunnel")
        }
    }
}
