import CLinux
import Glibc
import Packet
import Rules
import Runtime

/// Carries rules in user space: listens on their ports, and forwards bytes and datagrams, on its own thread. It
/// listens for every rule, including those whose traffic the kernel redirects past this program, so that no
/// other program takes their ports and connections are accepted if the kernel stops redirecting.
///
/// `add`, `remove` and `report` wait for the thread; other settings apply at the latest from the next such call.
package final class Relay: Sendable {
    private let mailbox: Mailbox<Command>
    private let thread: RelayThread

    /// A relay without rules. Raises this program's limit on descriptors to the hard limit.
    /// - Parameters:
    ///   - reach: the permitted targets of rules that may not leave the tunnel.
    ///   - nameServers: the servers to resolve targets' names; nil means the host's.
    package init(reach: Reach, nameServers: [Endpoint]? = nil) throws(RelayError) {
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

    /// Changes the tunnel's networks. Established connections continue.
    package func setReach(_ reach: Reach) { mailbox.post(.setReach(reach)) }

    /// Listens on the rule's ports, on all IPv4 and IPv6 addresses, and carries it. Returns once it is listening.
    /// - Throws: why it cannot; nothing has changed then. `outOfDescriptors` is temporary, unless the relay was
    ///   stopped.
    package func add(_ rule: Rule) throws(RuleRefusal) {
        let reply = Reply<RuleRefusal?>()
        guard mailbox.post(.add(rule, reply)) else { throw .outOfDescriptors }
        if let refusal = reply.wait() { throw refusal }
    }

    /// Stops listening at once; established connections may continue for `drain` seconds. The report includes
    /// the rule until they have ended.
    /// - Returns: whether the rule existed.
    @discardableResult
    package func remove(_ id: RuleID, drain: Int = 30) -> Bool {
        let reply = Reply<Bool>()
        return mailbox.post(.remove(id, drain: drain, reply)) && reply.wait()
    }

    /// Changes a rule's limit, for established connections, too.
    package func setLimit(_ limit: RateLimit, of id: RuleID) { mailbox.post(.setLimit(limit, id)) }

    /// Changes the joint limit of an owner's rules; nil means unlimited.
    package func setLimit(_ limit: RateLimit?, ofOwner owner: String) {
        mailbox.post(.setOwnerLimit(limit, owner))
    }

    /// Changes an owner's remaining quota; nil means unlimited.
    package func setQuota(_ quota: Quota?, ofOwner owner: String) { mailbox.post(.setQuota(quota, owner)) }

    /// Charges bytes carried for an owner elsewhere (in the kernel) to the quota.
    package func consume(_ bytes: UInt64, ofOwner owner: String) { mailbox.post(.consume(bytes, owner)) }

    /// Sets the control plane's parameters for UDP flows; nil means its defaults.
    /// - Parameters:
    ///   - idle: how long an idle flow is kept, in seconds; 30 to 300.
    ///   - maximum: maximum number of flows for a rule; 1 to 65535.
    package func setFlows(idle: Int?, maximum: Int?) { mailbox.post(.setFlows(idle: idle, maximum: maximum)) }

    /// The traffic so far; empty after `stop`.
    package func report() -> ServiceReport {
        let reply = Reply<ServiceReport>()
        return mailbox.post(.report(reply)) ? reply.wait() : ServiceReport()
    }

    /// Closes everything, and waits for the thread to end.
    package func stop() {
        mailbox.post(.stop)
        thread.join()
    }
}

/// Why services cannot be carried in this program.
package enum RelayError: Error, Equatable, CustomStringConvertible {
    /// The kernel refused a required resource: the action, and errno.
    case kernel(String, errno: Int32)

    /// One sentence with the action and the reason.
    package var description: String {
        switch self {
        case .kernel(let action, let code):
            "could not \(action) (\(String(cString: strerror(code)))); services are not carried by this program"
        }
    }
}
