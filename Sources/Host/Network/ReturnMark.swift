/// The marks by which answers leave as their connection came in, in conntrack and of packets. They have the highest 8 bits
/// alone and leave the others as they are: those in use elsewhere (Docker and Kubernetes 0xC000, Tailscale 0xFF0000, wg-quick
/// 0xCA6C, mwan3 0x3F00) are lower.
///
///     0xBn    connections through the tunnel, and their answers
///     0xAn    connections that came in by an uplink, and their answers
///     0x9n    packets on their way in by an uplink, for the reverse-path filter alone
public enum ReturnMark {
    /// The bits that are bondd's.
    public static let mask: UInt32 = 0xFF00_0000
    /// The bits that tell the three kinds apart.
    static let kindMask: UInt32 = 0xF000_0000
    /// The kind of packets on their way in by an uplink.
    static let arrivalKind: UInt32 = 0x9000_0000
    /// The bits, and their value, that are the same in answers of both kinds.
    static let answerMask: UInt32 = 0xE000_0000
    static let answerKind: UInt32 = 0xA000_0000

    /// The mark of a tunnel: 0xB, and 4 bits of its interface's name, which outlives the interface. The tunnels of a host are
    /// told apart by it when their names differ in one digit, or are lucky otherwise.
    public static func value(interface: String) -> UInt32 {
        0xB000_0000 | interface.utf8.reduce(0) { ($0 + UInt32($1)) & 0xF } << 24
    }

    /// The mark of connections that came in by an uplink, by the uplink's number.
    static func uplink(_ number: UInt32) -> UInt32 { answerKind | (number & 0xF) << 24 }

    /// The mark of packets on their way in by an uplink, by the uplink's number.
    static func arrival(_ number: UInt32) -> UInt32 { arrivalKind | (number & 0xF) << 24 }

    /// The numbers of uplinks, by the indices of their interfaces: the index's last 4 bits, or the next number that is free.
    /// So they outlive bondd, and two tunnels over the same uplinks mostly agree. Uplinks beyond the sixteenth have none.
    public static func numbers(of indices: [UInt32]) -> [UInt32: UInt32] {
        var numbers: [UInt32: UInt32] = [:]
        for index in indices where numbers[index] == nil {
            let taken = numbers.values
            numbers[index] = (0..<16).map { (index + $0) & 0xF }.first { !taken.contains($0) }
        }
        return numbers
    }
}
