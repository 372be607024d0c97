import ArgumentParser

/// The option for bondd's state directory.
struct StateDirectoryOption: ParsableArguments {
    @Option(name: .customLong("state-dir"), help: "Where bondd keeps what outlives it.")
    var stateDirectory = "/var/lib/bondd"
}

/// Options for the places of the configuration and of bondd's state.
struct PlaceOptions: ParsableArguments {
    @Option(help: "The configuration.")
    var config = "/etc/bondd/bondd.toml"

    @OptionGroup var state: StateDirectoryOption

    var stateDirectory: String { state.stateDirectory }
}
