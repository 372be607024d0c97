/// The numbers of bondd's own routing tables. A number says whose it is: 0xB0, 19 bits of the index of the tunnel's
/// interface, 5 bits of the slot, so that two daemons don't meet and what a dead one left behind is known without any file.
public enum RoutingTable {
    /// The slot of the table that leads into a full tunnel.
    public static let tunnelSlot: UInt32 = 0
    /// The slots of paths.
    public static let pathSlots: ClosedRange<UInt32> = 1...29
    /// The slot of the table that overrules routes which lead past a full tunnel (`RouteGuard`).
    public static let guardSlot: UInt32 = 30
    /// The slot of the table that answers take to what came in through the tunnel.
    public static let returnSlot: UInt32 = 31

    /// The number of a slot's table.
    public static func number(owner tunnel: UInt32, slot: UInt32) -> UInt32 {
        UInt32(NetworkRoute.ownOrigin) << 24 | short(tunnel) << 5 | slot
    }

    /// Whose table that is, as `short` says it; nil when it is none of bondd's.
    public static func owner(of table: UInt32) -> UInt32? {
        table >> 24 == UInt32(NetworkRoute.ownOrigin) ? table >> 5 & 0x7FFFF : nil
    }

    /// A table's slot; nil when it is none of bondd's.
    static func slot(of table: UInt32) -> UInt32? { owner(of: table).map { _ in table & 31 } }

    /// As much of an interface's index as a table's number holds.
    public static func short(_ index: UInt32) -> UInt32 { index & 0x7FFFF }
}
