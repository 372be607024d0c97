import Daemon
import Packet
import Transport

extension UDPSocket {
    /// A socket of any port for a question and its answer; nil when the kernel gives none.
    /// - Parameter mark: what packets are marked with; 0: nothing.
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
