import Engine
import Packet

extension DataPlane {
    /// The report of a data thread.
    func report(of shard: Int, now: Instant) -> ShardReport {
        ShardReport(
            shard: shard, sessions: engine.reports(now: now), usage: engine.usage(),
            handshakes: counters.handshakes, troubles: engine.handshakeTroubles(now: now),
            sockets: sockets.compactMap { socket in
                socket.map {
                    SocketReport(
                        number: $0.number, segmentation: $0.socket.segmentation, joining: $0.socket.joining)
                }
            }, drops: drops)
    }

    private var drops: [String: UInt64] {
        let drops = engine.drops
        return [
            "malformed": drops.malformed, "unknown_session": drops.unknownSession,
            "unknown_path": drops.unknownPath, "forged": drops.forged, "replayed": drops.replayed,
            "handshake": drops.handshake, "unknown_key": drops.unknownKey, "cookies": drops.cookies,
            "source_limited": drops.sourceLimited, "peer_limited": drops.peerLimited,
            "handshake_full": drops.handshakeFull,
            "not_ip": drops.notIP,
            "foreign_source": drops.foreignSource, "no_route": drops.noRoute, "no_session": drops.noSession,
            "queue_full": drops.queueFull, "expired": drops.expired, "no_buffer": drops.noBuffer,
            "over_rate": drops.overRate,
            "unknown_secret": drops.unknownSecret, "suite_mismatch": drops.suiteMismatch,
            "packet_too_big": drops.packetTooBig, "congested": drops.congested,
            "false_acks": drops.falseAcks,
            "unsent": counters.unsent, "receive_errors": counters.receiveErrors,
            "tunnel_errors": counters.tunnelErrors, "too_big": counters.tooBig,
            "socket_full": counters.noBuffers, "not_permitted": counters.notPermitted,
            "oversized": oversized, "handover_full": counters.handoverFull,
        ]
    }
}
