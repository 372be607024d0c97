/// One line of the console of `bondlab run`.
public enum LinkCommand: Equatable, Sendable {
    /// `set LINK OPTIONS`: changes the link's properties, with options of `LinkSpec`.
    case set(link: String, options: String)
    /// `down LINK`: all frames vanish, the carrier stays.
    case down(link: String)
    /// `up LINK`: frames pass again.
    case up(link: String)
    /// `carrier LINK on|off`: the client's interface gets or loses its carrier.
    case carrier(link: String, on: Bool)
    /// `unplug LINK`: the client's interface goes away.
    case unplug(link: String)
    /// `plug LINK`: the client's interface comes back.
    case plug(link: String)
    /// `show`: prints each link's counters.
    case show
    /// `help`: prints `usage`.
    case help
    /// `quit`: ends the lab.
    case quit

    /// The commands, one on each line.
    public static let usage = """
        set LINK OPTION[,OPTION…]   e.g. set fibre loss=5%,up.rate=10
        down LINK | up LINK         frames vanish silently | pass again
        carrier LINK off|on         the client's interface loses | gets its carrier
        unplug LINK | plug LINK     the client's interface goes away | comes back
        show                        counters of all links
        quit
        """

    /// Parses one line; nil for an empty one. Throws `badCommand`.
    public init?(_ line: String) throws(LabError) {
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        switch (words.first, words.count) {
        case (nil, _): return nil
        case ("set", 3): self = .set(link: words[1], options: words[2])
        case ("down", 2): self = .down(link: words[1])
        case ("up", 2): self = .up(link: words[1])
        case ("carrier", 3) where ["on", "off"].contains(words[2]):
            self = .carrier(link: words[1], on: words[2] == "on")
        case ("unplug", 2): self = .unplug(link: words[1])
        case ("plug", 2): self = .plug(link: words[1])
        case ("show", 1): self = .show
        case ("help", 1): self = .help
        case ("quit", 1), ("exit", 1): self = .quit
        default: throw .badCommand(text: line, reason: "it is not one of the commands listed by 'help'")
        }
    }
}
