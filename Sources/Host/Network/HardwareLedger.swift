import Glibc
import Runtime
import Settings

/// The hardware behind each path's name, kept in a file, in order to detect a name that now belongs to another
/// card or modem: the role, caps and data use follow the name.
package struct HardwareLedger: Equatable, Sendable {
    /// An interface's hardware.
    package struct Identity: Equatable, Sendable {
        /// The hardware address; `-` if there is none.
        package let mac: String
        /// Where it is plugged in; `-` if unknown.
        package let place: String

        /// The identity of an interface's hardware.
        package init(_ interface: NetworkInterface, classes: String = "/sys/class/net") {
            mac = interface.mac ?? "-"
            place = HardwarePath(interface: interface.name, classes: classes)?.name ?? "-"
        }

        init(mac: String, place: String) { (self.mac, self.place) = (mac, place) }

        /// Whether the address is the manufacturer's rather than locally administered (bit 1 of the first byte,
        /// IEEE 802): many modems and all virtual interfaces make up a new one at each start.
        var isMakers: Bool {
            guard let first = UInt8(mac.prefix(2), radix: 16) else { return false }
            return first & 2 == 0
        }
    }

    /// Maximum number of names kept.
    private static let most = 256
    private static let maximumSize = 1 << 16

    private var known: [String: Identity] = [:]

    /// An empty ledger.
    package init() {}

    /// Reads a file; a missing or damaged one yields an empty ledger.
    package init(reading path: String) {
        guard let text = try? TextFile.read(path, limit: Self.maximumSize) else { return }
        for line in text.split(separator: "\n").prefix(Self.most) {
            let words = line.split(separator: " ")
            guard words.count == 3 else { continue }
            known[String(words[0])] = Identity(mac: String(words[1]), place: String(words[2]))
        }
    }

    /// The text for the file, sorted by name.
    package var text: String {
        known.sorted { $0.key < $1.key }.reduce("") { "\($0)\($1.key) \($1.value.mac) \($1.value.place)\n" }
    }

    /// The hardware that had this name last time.
    package func identity(of name: String) -> Identity? { known[name] }

    /// Records the current hardware of each name.
    /// - Returns: the names whose hardware has changed.
    package mutating func note(_ now: [String: Identity]) -> [String] {
        let changed = now.filter { name, identity in
            guard let before = known[name], before.mac != identity.mac else { return false }
            // Another name had this address last time: the two have swapped.
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
