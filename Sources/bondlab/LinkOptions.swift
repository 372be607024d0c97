import ArgumentParser
import Lab

/// The options of all subcommands that create links.
struct LinkOptions: ParsableArguments {
    @Option(name: .customLong("link"), help: ArgumentHelp("A link; may be repeated.", valueName: "spec"))
    var links: [String] = []

    @Option(help: "The seed of all random choices.")
    var seed: UInt64 = 1

    /// The links in the order given; `standard` if there are none.
    func specs(orElse standard: [String]) throws(LabError) -> [LinkSpec] {
        var specs: [LinkSpec] = []
        for text in links.isEmpty ? standard : links { specs.append(try LinkSpec(text)) }
        return specs
    }

    /// Creates a lab with namespaces "client" and "server" and these links between them.
    func build(_ specs: [LinkSpec]) throws(LabError) -> Lab {
        let lab = try Lab(seed: seed)
        let client = try lab.namespace("client")
        let server = try lab.namespace("server")
        for spec in specs { _ = try lab.link(spec, from: client, to: server) }
        return lab
    }
}
