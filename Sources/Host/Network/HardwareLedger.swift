import Glibc
import Runtime
import Settings

/// The hardware behind each path's name, kept in a file, so that a path is known whose name leads to another card or stick
/// than last time: its role, its caps and its data use belong to the name.
public struct HardwareLedger: Equatable, Sendable {
    /// An interface's hardware.
    public struct Identity: Equatable, Sendable {
        /// Its hardware address; `-` when it has none.
        public let mac: String
        /// Where it is plugged in; `-` when that is unknown.
        public let place: String

        /// That of an interface.
        public init(_ interface: NetworkInterface, classes: String = "/sys/class/net") {
            mac = interface.mac ?? "-"
            place = HardwarePath(interface: interface.name, classes: classes)?.name ?? "-"
        }

        init(mac: String, place: String) { (self.mac, self.place) = (mac, place) }

        /// Whether the address is the manufacturer's and not locally administered (bit 1 of the first byte, IEEE 802): many
        /// sticks and all virtual interfaces make up another at each start.
        var isMakers: Bool {
            guard let first = UInt8(mac.prefix(2), radix: 16) else { return false }
            return first & 2 == 0
        }
    }

    /// The most names that are kept.
    private static let most = 256
    private static let maximumSize = 1 << 16

    private var known: [String: Identity] = [:]

    /// Nothing known.
    public init() {}

    /// Reads a file; one that is missing or makes no sense knows nothing.
    public init(reading path: String) {
        guard let text = try? TextFile.read(path, limit: Self.maximumSize) else { return }
        for line in text.split(separator: "\n").prefix(Self.most) {
            let words = line.split(separator: " ")
            guard words.count == 3 else { continue }
            known[String(words[0])] = Identity(mac: String(words[1]), place: String(words[2]))
        }
    }

    /// The file's text, in the order of the names.
    public var text: String {
        known.sorted { $0.key < $1.key }.reduce("") { "\($0)\($1.key) \($1.value.mac) \($1.value.place)\n" }
    }

    /// The hardware that a name led to last time.
    public func identity(of name: String) -> Identity? { known[name] }

    /// Records the hardware that each name leads to now.
    /// - Returns: the names that led to other hardware before.
    public mutating func note(_ now: [String: Identity]) -> [String] {
        let changed = now.filter { name, identity in
            guard let before = known[name], before.mac != identity.mac else { return false }
            // Its address is another name's of last time: they have changed places.
            if known.contains(where: { $0.key != name && $0.value.mac == identity.mac }) { return true }
            let isElsewhere = before.place != identity.place && before.place != "-" && identity.place != "-"
            return isElsewhere || before.isMakers && identity.isMakers
        }
        for (name, identity) in now where known[name] != nil || known.count < Self.most {
            known[name] = identity
        }
        return changed.keys.sorted()
    }
}
