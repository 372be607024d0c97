import Transport

/// A datagram socket in the daemon's table. A class, so that the table can be an array; it is accessed once
/// for each batch.
package final class UDPSocket {
    package let socket: DatagramSocket
    /// The number by which links refer to it.
    package let number: UInt16
    let meter: Meter

    package init(_ socket: consuming DatagramSocket, number: UInt16, meter: Meter = Meter()) {
        self.socket = socket
        self.number = number
        self.meter = meter
    }
}
