import LinkModel

/// A link as written on the command line.
///
/// ```
/// spec   = NAME "=" RATE "/" DELAY { "," option }
/// option = [ "up." | "down." ] KEY "=" VALUE | [ "up." | "down." ] "reorder" | "mtu=" BYTES
/// ```
/// RATE is in Mbit/s, or `inf`; DELAY is one-way, in ms. Without `up.` (client to server) or `down.` an option applies
/// to both directions. Later options win.
///
/// | key | value |
/// |---|---|
/// | rate, delay | as above |
/// | queue | depth of the queue in ms of the rate, 100 by default |
/// | jitter | ± ms, uniformly distributed; order is kept |
/// | reorder | lets jitter put frames out of order; `reorder=no` undoes it |
/// | loss | fraction of frames lost: `2%` or `0.02` |
/// | burst | mean number of consecutive frames lost; 0 = independent losses |
/// | dup | fraction of frames that arrive twice |
/// | mtu | 576...2000 bytes, 1500 by default |
///
/// Examples: `fibre=100/10`, `lte=30/30,up.rate=10,jitter=5,loss=1%,burst=4`.
public struct LinkSpec: Equatable, Sendable {
    /// The largest MTU that the emulator's frame buffers hold, in bytes.
    public static let maximumMTU = 2000

    /// The name of the link, and of its interfaces.
    public var name: String
    /// From client to server.
    public var up: LinkShape
    /// From server to client.
    public var down: LinkShape
    /// The MTU of both interfaces, in bytes.
    public var mtu = 1500

    /// A link that is the same in both directions.
    public init(name: String, _ shape: LinkShape) {
        self.name = name
        up = shape
        down = shape
    }

    /// Parses the grammar above. Throws `badSpec`.
    public init(_ text: String) throws(LabError) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let head = parts[0].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard head.count == 2, Self.isInterfaceName(head[0]) else {
            throw .badSpec(text: text, reason: "write NAME=RATE/DELAY, NAME being a name for an interface")
        }
        let figures = head[1].split(separator: "/", omittingEmptySubsequences: false)
        guard figures.count == 2 else {
            throw .badSpec(text: text, reason: "after the name come RATE in Mbit/s, '/', and DELAY in ms")
        }
        self.init(name: String(head[0]), LinkShape(rate: 0, delay: 0))
        try set("rate=\(figures[0])")
        try set("delay=\(figures[1])")
        for option in parts.dropFirst() { try set(option) }
    }

    /// Whether the kernel accepts `name` for an interface, and the grammar can express it.
    static func isInterfaceName(_ name: some StringProtocol) -> Bool {
        (1...15).contains(name.utf8.count) && !["lo", ".", "..", "all", "default"].contains(String(name))
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
