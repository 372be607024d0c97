import ArgumentParser

/// The option for bondd's state directory.
struct StateDirectoryOption: ParsableArguments {
    @Option(name: .customLong("state-dir"), help: "The directory for state that outlives bondd.")
    var stateDirectory = "/var/lib/bondd"
}

/// Options for the places of the configuration and of bondd's state.
struct PlaceOptions: ParsableArguments {
    @Option(help: "The configuration.")
    var config = "/etc/bondd/bondd.toml"

    @OptionGroup var state: StateDirectoryOption

    var stateDirectory: String { state.stateDirectory }
}
