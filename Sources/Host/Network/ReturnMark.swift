/// Marks in conntrack and on packets by which replies leave the way their connection came in. They use only the
/// highest 8 bits and leave the others alone: those that other programs use (Docker and Kubernetes 0xC000,
/// Tailscale 0xFF0000, wg-quick 0xCA6C, mwan3 0x3F00) are lower.
///
///     0xBn    connections through the tunnel, and their replies
///     0xAn    connections that came in by an uplink, and their replies
///     0x9n    packets arriving on an uplink, only for the reverse-path filter
package enum ReturnMark {
    /// The bits that belong to bondd.
    package static let mask: UInt32 = 0xFF00_0000
    /// The bits that distinguish the three kinds.
    static let kindMask: UInt32 = 0xF000_0000
    /// The kind of packets arriving on an uplink.
    static let arrivalKind: UInt32 = 0x9000_0000
    /// The mask, and the value under it, common to replies of both kinds.
    static let answerMask: UInt32 = 0xE000_0000
    static let answerKind: UInt32 = 0xA000_0000

    /// The mark of a tunnel: 0xB, and 4 bits derived from its interface's name, which outlives the interface.
    /// They distinguish the tunnels of a host if their names differ in one digit, and otherwise only by chance.
    package static func value(interface: String) -> UInt32 {
        0xB000_0000 | interface.utf8.reduce(0) { ($0 + UInt32($1)) & 0xF } << 24
    }

    /// The mark of connections that came in by an uplink.
    static func uplink(_ number: UInt32) -> UInt32 { answerKind | (number & 0xF) << 24 }

    /// The mark of packets arriving on an uplink.
    static func arrival(_ number: UInt32) -> UInt32 { arrivalKind | (number & 0xF) << 24 }

    /// Assigns numbers to uplinks by interface index: the index's last 4 bits, or the next free number. They
    /// therefore outlive bondd, and two tunnels over the same uplinks mostly agree. Uplinks beyond the
    /// sixteenth get none.
    package static func numbers(of indices: [UInt32]) -> [UInt32: UInt32] {
        var numbers: [UInt32: UInt32] = [:]
        for index in indices where numbers[index] == nil {
            let taken = numbers.values
            numbers[index] = (0..<16).map { (index + $0) & 0xF }.first { !taken.contains($0) }
        }
        return numbers
    }
}
