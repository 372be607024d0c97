import CLinux
import Glibc
import Packet
import Rules
import Runtime

/// Carries rules in this program: listens on their ports, and passes bytes and datagrams on, on a thread of its own. Every rule
/// is listened for here, also those that the kernel leads past this program, so that nobody else has their ports and there is
/// somebody when the kernel does not.
///
/// `add`, `remove` and `report` wait for the thread; what is set holds from the next of them on at the latest.
public final class Relay: Sendable {
    private let mailbox: Mailbox<Command>
    private let thread: RelayThread

    /// Carries nothing yet. This program may have as many descriptors from then on as the host allows it.
    /// - Parameters:
    ///   - reach: what targets may be, of rules that may not leave the tunnel.
    ///   - nameServers: whom to ask for names of targets; nil: whom the host asks.
    public init(reach: Reach, nameServers: [Endpoint]? = nil) throws(RelayError) {
        _ = clinux_raise_descriptors()
        let poller: Poller<Token>
        do throws(RuntimeError) {
            mailbox = try Mailbox()
            poller = try Poller(capacity: 256)
        } catch {
            throw .kernel("wait for events", errno: error.code)
        }
        let resolver = try Resolver(nameServers: nameServers)
        guard poller.watch(mailbox.fileDescriptor, Token(.mailbox, 0)) else {
            throw .kernel("watch an eventfd", errno: errno)
        }
        thread = try RelayThread(RelayLoop(poller, resolver, reach: reach, mailbox: mailbox))
    }

    deinit { stop() }

    /// The tunnel's networks changed. What is established goes on.
    public func setReach(_ reach: Reach) { mailbox.post(.setReach(reach)) }

    /// Listens on the rule's ports, on every IPv4 and IPv6 address, and carries it from then on. It has returned when that is so.
    /// - Throws: why it can't; nothing has changed then. `outOfDescriptors` passes, unless this was stopped.
    public func add(_ rule: Rule) throws(RuleRefusal) {
        let reply = Reply<RuleRefusal?>()
        guard mailbox.post(.add(rule, reply)) else { throw .outOfDescriptors }
        if let refusal = reply.wait() { throw refusal }
    }

    /// Stops listening at once; what is established may go on for `drain` seconds. The report has the rule until it is through.
    /// - Returns: whether there was such a rule.
    @discardableResult
    public func remove(_ id: RuleID, drain: Int = 30) -> Bool {
        let reply = Reply<Bool>()
        return mailbox.post(.remove(id, drain: drain, reply)) && reply.wait()
    }

    /// Changes what a rule may take, for what is established, too.
    public func setLimit(_ limit: RateLimit, of id: RuleID) { mailbox.post(.setLimit(limit, id)) }

    /// Changes what all rules of an owner may take together; nil: as much as they like.
    public func setLimit(_ limit: RateLimit?, ofOwner owner: String) {
        mailbox.post(.setOwnerLimit(limit, owner))
    }

    /// Changes what an owner's rules may still carry; nil: as much as they like.
    public func setQuota(_ quota: Quota?, ofOwner owner: String) { mailbox.post(.setQuota(quota, owner)) }

    /// Counts what was carried for an owner elsewhere (in the kernel) against the quota.
    public func consume(_ bytes: UInt64, ofOwner owner: String) { mailbox.post(.consume(bytes, owner)) }

    /// What the control plane says of UDP flows; nil: its default.
    /// - Parameters:
    ///   - idle: how long a silent one is kept, in seconds; 30 to 300.
    ///   - maximum: how many a rule may have; 1 to 65535.
    public func setFlows(idle: Int?, maximum: Int?) { mailbox.post(.setFlows(idle: idle, maximum: maximum)) }

    /// What was carried so far; nothing when it was stopped.
    public func report() -> ServiceReport {
        let reply = Reply<ServiceReport>()
        return mailbox.post(.report(reply)) ? reply.wait() : ServiceReport()
    }

    /// Ends everything, and waits until that is done.
    public func stop() {
        mailbox.post(.stop)
        thread.join()
    }
}
