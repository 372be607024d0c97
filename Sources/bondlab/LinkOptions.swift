import ArgumentParser
import Lab

/// The options of every subcommand that builds links.
struct LinkOptions: ParsableArguments {
    @Option(name: .customLong("link"), help: ArgumentHelp("A link; may be given again.", valueName: "spec"))
    var links: [String] = []

    @Option(help: "What all random choices follow from.")
    var seed: UInt64 = 1

    /// The links in the order given, or `standard` when none is.
    func specs(orElse standard: [String]) throws(LabError) -> [LinkSpec] {
        var specs: [LinkSpec] = []
        for text in links.isEmpty ? standard : links { specs.append(try LinkSpec(text)) }
        return specs
    }

    /// A lab with namespaces "client" and "server" and these links between them, whose traces begin now.
    func build(_ specs: [LinkSpec]) throws(LabError) -> Lab {
        let lab = try Lab(seed: seed)
        let client = try lab.namespace("client")
        let server = try lab.namespace("server")
        for spec in specs { _ = try lab.link(spec, from: client, to: server) }
        lab.restartLinks()
        return lab
    }
}
