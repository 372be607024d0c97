import Packet
import Proto

@testable import Engine

// The kernel's and the daemon's part for a server of several shards.
extension World {
    /// The node to which the kernel delivers a datagram: by the session ID, all others to the first.
    func shardByHeader(_ bytes: [UInt8]) -> Int {
        guard shards > 1, let header = bytes.withUnsafeBytes({ Header(parsing: $0) }),
            header.kind == .data || header.kind == .control
        else { return -1 }
        let shard = Int(header.sessionID >> 16 & 7)
        return shard < shards ? -1 - shard : -1
    }

    /// Delivers a shard's packets for other shards.
    func handOver(from node: Node) {
        for forward in node.engine.takeForwards() {
            forwarded.append(forward)
            self.forward(forward)
        }
        for index in 0..<shards {
            var isBusy = false
            while true {
                let (slot, isPartial) = node.engine.takeStray(for: index)
                if slot == .none { break }
                let bytes = [UInt8](node.engine.packet(in: slot))
                node.engine.release(slot)
                strayed += 1
                isBusy = true
                let other = servers[index]
                let copy = other.engine.reserve()
                guard copy != .none else { continue }
                other.engine.room(of: copy).copyBytes(from: bytes)
                other.engine.send(copy, length: bytes.count, hasPartialChecksum: isPartial, now: now)
            }
            if isBusy { settle(-1 - index) }
        }
    }

    /// Passes a forwarded init to its shard.
    func forward(_ forward: ForwardedInit, to shard: Int? = nil) {
        let index = shard ?? forward.shard
        forward.datagram.withUnsafeBytes {
            servers[index].engine.receiveForwarded(
                $0, from: forward.link, hasCookie: forward.hasCookie, now: now)
        }
        settle(-1 - index)
    }
}
