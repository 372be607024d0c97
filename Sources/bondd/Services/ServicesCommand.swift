import ArgumentParser
import Commands
import ControlProtocol
import Runtime

/// `bondd services`
struct ServicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "services", abstract: "On the server: services published from behind the tunnel.",
        subcommands: [ListServicesCommand.self], defaultSubcommand: ListServicesCommand.self)
}

/// `bondd services list`
struct ListServicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List rules, how each is carried, and the control plane they come from.",
        discussion: """
            Rules are those of [[rule]] in the configuration and those that a Portunus control plane pushes. The kernel carries \
            the simple ones, bondd-control the others, for the reason that is shown.
            """)

    @OptionGroup var options: GlobalOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let (services, plane) = try ControlServiceSocket(beside: options.socket).get(.services)
        if json {
            guard let line = try? Line.encode(ControlServiceResponse.services(services, plane)) else {
                throw Failure("the list can't be written as JSON")
            }
            print(String(decoding: line, as: UTF8.self), terminator: "")
            return
        }
        print(ServiceTable(services, plane).text, terminator: "")
    }
}
