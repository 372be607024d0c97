import Engine
import Packet
import Proto
import Scheduler

/// A command from the main thread to a data thread.
enum ShardCommand: Sendable {
    /// The configuration was read again: these are the clients.
    case replacePeers([EngineConfiguration.Peer])
    /// The server's root secret was rotated.
    case replaceRoots(RootSecrets)
    /// bondd-control has settled an enrolment with that invitation.
    case settle(invitation: Int, publicKey: PublicKey, outcome: EnrolOutcome)
    case setMode(Mode)
    case setRedundantPaths(Int)
    case setClasses([ServiceClass])
    /// Limits the client with that key from now on.
    case setLimits(PeerLimits, of: PublicKey)
    /// Report.
    case report(ReportCall)
    /// Say goodbye to all clients and end.
    case stop
}
