import Glibc
import Packet
import Synchronization

/// A name server on loopback that knows the IPv4 addresses of some names (RFC 1035).
final class NameServer: @unchecked Sendable {
    struct Entry: Sendable {
        let addresses: [String]
        /// The name that has the addresses, if it is another one.
        let alias: String?
        let lifetime: UInt32
    }

    private let wire = Wire.bound(0)!
    private let count = Atomic(0)
    private let isHeld: Atomic<Bool>

    /// The number of queries received.
    var questions: Int { count.load(ordering: .sequentiallyConsistent) }
    var endpoint: Endpoint { Endpoint(address: IPAddress("127.0.0.1")!, port: wire.port) }

    /// - Parameter isHeld: whether it answers only after `release`.
    init(_ entries: [String: Entry], isHeld: Bool = false) {
        self.isHeld = Atomic(isHeld)
        let wire = wire
        wire.setPatience(milliseconds: 0)
        Thread.start { [weak self] in
            while true {
                var bytes = [UInt8](repeating: 0, count: 512)
                var address = sockaddr_in()
                var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                withUnsafeMutableBytes(of: &address) { room in
                    let source = room.baseAddress!.assumingMemoryBound(to: sockaddr.self)
                    let size = recvfrom(wire.descriptor, &bytes, bytes.count, 0, source, &length)
                    guard size > 12 else { return }
                    self?.count.add(1, ordering: .sequentiallyConsistent)
                    while self?.isHeld.load(ordering: .sequentiallyConsistent) == true { usleep(1000) }
                    let answer = Self.answer(Array(bytes[..<size]), entries)
                    sendto(wire.descriptor, answer, answer.count, 0, source, length)
                }
            }
        }
    }

    /// Answers from now on.
    func release() { isHeld.store(false, ordering: .sequentiallyConsistent) }

    private static func answer(_ question: [UInt8], _ entries: [String: Entry]) -> [UInt8] {
        var labels: [String] = []
        var position = 12
        while question[position] > 0 {
            let end = position + 1 + Int(question[position])
            labels.append(String(decoding: question[position + 1..<end], as: UTF8.self))
            position = end
        }
        let asksForIPv4 = question[position + 2] == 1
        let entry = entries[labels.joined(separator: ".").lowercased()]
        var records: [[UInt8]] = []
        if let entry {
            if let alias = entry.alias { records.append(record([0xC0, 12], 5, entry.lifetime, name(alias))) }
            for address in entry.addresses where asksForIPv4 {
                let owner = entry.alias.map(name) ?? [0xC0, 12]
                records.append(
                    record(owner, 1, entry.lifetime, address.split(separator: ".").map { UInt8($0)! }))
            }
        }
        // An answer with recursion; NXDOMAIN if the name is unknown.
        let header: [UInt8] = [
            question[0], question[1], 0x81, entry == nil ? 0x83 : 0x80, 0, 1, 0, UInt8(records.count),
        ]
        return header + [0, 0, 0, 0] + question[12..<position + 5] + records.joined()
    }

    private static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    private static func record(_ owner: [UInt8], _ type: UInt8, _ lifetime: UInt32, _ data: [UInt8])
        -> [UInt8]
    {
        let time = (0..<4).map { UInt8(truncatingIfNeeded: lifetime >> (24 - 8 * $0)) }
        return owner + [0, type, 0, 1] + time + [0, UInt8(data.count)] + data
    }
}
