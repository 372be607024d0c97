import Engine
import Packet
import Proto
import Scheduler

/// A command of the main thread to a data thread.
enum ShardCommand: Sendable {
    /// The configuration was read again: these are the clients.
    case replacePeers([EngineConfiguration.Peer])
    /// The server's root secret was rotated.
    case replaceRoots(RootSecrets)
    case setMode(Mode)
    case setRedundantPaths(Int)
    case setClasses([ServiceClass])
    /// Keeps the client with that key to these limits from now on.
    case setLimits(PeerLimits, of: PublicKey)
    /// Say how things stand.
    case report(ReportCall)
    /// Say good-bye to all clients and end.
    case stop
}
