import ArgumentParser
import Lab

/// The command `bondlab`: emulated links of any quality, on one machine, without leaving traces.
@main struct BondLab: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bondlab",
        abstract: "Emulated links between two network namespaces, as bad as a real network's.",
        discussion: """
            A link is NAME=RATE/DELAY[,option…]: Mbit/s (or 'inf') and one-way delay in ms. 'up.' before an option means \
            client to server only, 'down.' server to client. Options:
              rate=, delay=        as above
              trace=FILE*0.4       a Mahimahi file in place of the rate, scaled; FILE:COLUMN is a CSV file of seconds
              queue=MS | 64kB      depth of the drop-tail queue (with a trace MS of its mean rate)
              police=RATE/KB       drop what exceeds a token bucket, in Mbit/s and kB
              jitter=MS, lag=MS    up to so much earlier and later | later alone; reorder lets frames overtake
              grants=5-15          frames arrive in groups, so many ms apart
              handover=120/15000   the queue holds its frames for 120 ms in every 15 s; outage= loses them
              loss=2%, burst=FRAMES, dup=1%, mtu=BYTES
            Examples: fibre=100/10 or lte=30/30,up.rate=10,jitter=5,loss=1%,burst=4 or \
            att=10/33,down.trace=drive-1.csv:att*0.4,queue=300

            Link number i (from 0) has 10.(100+i).0.1 and fd00:(100+i)::1 at the client, .2 and ::2 at the server. \
            Root is not needed where user namespaces are allowed and /dev/net/tun may be opened.
            """,
        subcommands: [
            DemoCommand.self, BenchCommand.self, RunCommand.self, LinksCommand.self, SimCommand.self,
            ForwardCommand.self, HostileCommand.self,
        ])
}
