import Daemon
import Packet
import Transport

extension UDPSocket {
    /// A socket on any port for a query and its answer; `nil` if the kernel refuses one.
    /// - Parameter mark: the mark of its packets; 0 for none.
    static func opened(
        number: UInt16, family: IPAddress.Family, boundTo interface: String? = nil, mark: UInt32 = 0
    ) -> UDPSocket? {
        do throws(TransportError) {
            let socket = try DatagramSocket(
                boundTo: interface, family: family, wantsOffloads: false, mark: mark)
            return UDPSocket(socket, number: number)
        } catch {
            return nil
        }
    }
}
