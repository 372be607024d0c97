/// The mark (SO_MARK) that identifies packets carrying the tunnel to rules and filters: only they may leave
/// outside a full tunnel. Its low 16 bits spell "bond" as well as hexadecimal digits can; the high 8 bits
/// identify the path. The bits between are left alone, as Tailscale uses them (0xFF0000).
package enum TunnelMark {
    /// The part of the mark common to all paths.
    package static let value: UInt32 = 0xB0DD
    /// The mask for `value`.
    package static let mask: UInt32 = 0xFFFF
    /// The mask for a path's own mark.
    static let pathMask: UInt32 = 0xFF00_FFFF

    /// The mark of the path whose routing table has that slot; nil if it has no table.
    package static func value(slot: UInt32?) -> UInt32 { value | (slot ?? 0) << 24 }
}
