import Packet
import Proto

/// The rules for networks behind a client, shared by the configuration file and `bondd clients set`.
package enum ClientNetworks {
    /// Why a network cannot be routed to a client.
    package struct Refusal: Error, Equatable {
        /// The fault and the remedy, worded to follow the network's text.
        package let problem: String
    }

    /// Reads one network.
    /// - Parameters:
    ///   - text: `NETWORK/PREFIX`.
    ///   - earlier: the same client's networks that precede it.
    ///   - tunnel: the server's addresses in the tunnel.
    ///   - others: the other clients' networks, each with its client's name.
    /// - Throws: `Refusal` if the text is not a network, has host bits set, covers all addresses or part of the
    ///   host's own address space, or overlaps another network.
    package static func check(
        _ text: String, after earlier: [CIDR], tunnel: [CIDR], others: [(CIDR, String)]
    ) throws(Refusal) -> CIDR {
        guard let network = CIDR(text) else {
            throw Refusal(problem: "is not NETWORK/PREFIX such as 192.168.50.0/24")
        }
        guard network == network.network else {
            throw Refusal(problem: "has host bits set; write \(network.network)")
        }
        guard network.length > 0 else {
            throw Refusal(problem: "is the whole internet; name the networks that are behind the client")
        }
        let address = network.address
        guard !address.isLoopback, !address.isLinkLocal, !address.isMulticast else {
            throw Refusal(problem: "can't be routed; name a network of the client's LAN")
        }
        if let own = tunnel.first(where: { $0.network.overlaps(network) }) {
            throw Refusal(
                problem: "overlaps the tunnel's network \(own.network); use another network behind the client"
            )
        }
        if let (other, name) = others.first(where: { $0.0.overlaps(network) }) {
            throw Refusal(
                problem:
                    "overlaps \(other), which is behind the client \"\(name)\"; a network can be behind only one client"
            )
        }
        if let other = earlier.first(where: { $0.overlaps(network) }) {
            throw Refusal(problem: "overlaps \(other), also of this client; remove one of the two")
        }
        guard earlier.count < Wire.maximumNetworks else {
            throw Refusal(
                problem:
                    "exceeds the limit of \(Wire.maximumNetworks) networks for a client; merge some of them into a larger one"
            )
        }
        return network
    }
}
