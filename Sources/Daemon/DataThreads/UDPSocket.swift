import Transport

/// A datagram socket in the daemon's table. A class, so that the table can be an array; it is touched once a
/// batch.
package final class UDPSocket {
    package let socket: DatagramSocket
    /// Its number, as links name it.
    package let number: UInt16
    let meter: Meter

    package init(_ socket: consuming DatagramSocket, number: UInt16, meter: Meter = Meter()) {
        self.socket = socket
        self.number = number
        self.meter = meter
    }
}
