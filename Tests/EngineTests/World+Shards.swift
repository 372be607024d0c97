import Packet
import Proto

@testable import Engine

// What the kernel and the daemon do for a server of several shards.
extension World {
    /// The node that the kernel gives a datagram to: by the session ID, and all else to the first.
    func shardByHeader(_ bytes: [UInt8]) -> Int {
        guard shards > 1, let header = bytes.withUnsafeBytes({ Header(parsing: $0) }),
            header.kind == .data || header.kind == .control
        else { return -1 }
        let shard = Int(header.sessionID >> 16 & 7)
        return shard < shards ? -1 - shard : -1
    }

    /// Carries what a shard has for others to them.
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

    /// Has the shard that it is for take a forwarded init.
    func forward(_ forward: ForwardedInit, to shard: Int? = nil) {
        let index = shard ?? forward.shard
        forward.datagram.withUnsafeBytes {
            servers[index].engine.receiveForwarded(
                $0, from: forward.link, hasCookie: forward.hasCookie, now: now)
        }
        settle(-1 - index)
    }
}
