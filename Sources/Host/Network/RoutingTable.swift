/// The numbers of bondd's own routing tables. A number identifies the owner: 0xB0, 19 bits of the tunnel
/// interface's index, 5 bits of the slot. So two daemons never collide, and leftovers of a dead one are
/// recognized without any file.
package enum RoutingTable {
    /// The slot of a full tunnel's table.
    package static let tunnelSlot: UInt32 = 0
    /// The slots of paths.
    package static let pathSlots: ClosedRange<UInt32> = 1...29
    /// The slot of the table that overrules routes past a full tunnel (`RouteGuard`).
    package static let guardSlot: UInt32 = 30
    /// The slot of the table for replies to connections that came in through the tunnel.
    package static let returnSlot: UInt32 = 31

    /// The number of a slot's table.
    package static func number(owner tunnel: UInt32, slot: UInt32) -> UInt32 {
        UInt32(NetworkRoute.ownOrigin) << 24 | short(tunnel) << 5 | slot
    }

    /// The owner of a table, as in `short`; nil if it is not bondd's.
    package static func owner(of table: UInt32) -> UInt32? {
        table >> 24 == UInt32(NetworkRoute.ownOrigin) ? table >> 5 & 0x7FFFF : nil
    }

    /// A table's slot; nil if it is not bondd's.
    static func slot(of table: UInt32) -> UInt32? { owner(of: table).map { _ in table & 31 } }

    /// The part of an interface's index that fits into a table's number.
    package static func short(_ index: UInt32) -> UInt32 { index & 0x7FFFF }
}
