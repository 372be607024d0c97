import ArgumentParser
import Commands

/// `bondd set KEY VALUE`
struct SetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract:
            "Change a value of a running bondd until it ends or reloads its file.")

    @OptionGroup var options: GlobalOptions

    @Argument(
        help:
            "mode, redundant_paths (0: all), path.NAME.role, path.NAME.cap (Mbit/s), path.NAME.data_cap (GB a month; 0: no cap), path.NAME.data_used (GB used this month); on a server client.NAME.rate_up, client.NAME.rate_down (Mbit/s; 0: no limit) or client.NAME.priority (0 to 3)."
    )
    var key: String

    @Argument(
        help:
            "The new value: a mode (auto, stripe, preferred, redundant, throughput), a role (primary, backup, metered, never) or a number."
    )
    var value: String

    func validate() throws {
        // No value is negative; the daemon rejects all other values that are out of range in the same words.
        guard !value.hasPrefix("-") else {
            throw ValidationError(
                "\(key) can't be \(value); give a number from 0 (no limit), or a mode or role by name")
        }
    }

    func run() throws {
        _ = try ask(.set(key: key, value: value), options.socket)
    }
}
