import ArgumentParser
import Glibc
import Lab

/// `bondlab links`: lists the links it would create, and with `--check` measures whether they behave as specified.
struct LinksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "links", abstract: "List links, or measure whether they behave as specified.")

    @OptionGroup var options: LinkOptions

    @Flag(help: "Create each link and measure its rate, round-trip time and loss. Takes about 20 s a link.")
    var check = false

    func run() throws {
        let specs = try options.specs(
            orElse: ["fibre=100/10", "lte=30/30,up.rate=10,loss=1%", "starlink=150/25,jitter=3"])
        if check { try Lab.enter() }
        if !check {
            var table = Table(["link", "up Mbit/s", "down Mbit/s", "RTT ms", "loss"])
            for spec in specs { table.add([spec.name] + LinkCheck.expectation(spec)) }
            print(table)
            return
        }
        let lab = try options.build(specs)
        defer { lab.close() }
        var table = Table(["link", "", "up Mbit/s", "down Mbit/s", "RTT ms", "loss", ""])
        var isGood = true
        for (link, spec) in zip(lab.links, specs) {
            let result = try LinkCheck.measure(link)
            isGood = isGood && result.isGood(spec)
            table.add([spec.name, "set"] + LinkCheck.expectation(spec) + [""])
            table.add(["", "measured"] + result.row + [result.isGood(spec) ? "ok" : "OFF"])
        }
        print(table)
        if !isGood { throw ExitCode.failure }
    }
}
