import CNetlink
import Glibc
import Packet
import Settings

// libnl-route's rules support neither inversion nor suppressed prefixes nor an origin, so the messages are
// built by hand.
extension Netlink {
    /// All rules of both families, in the order of evaluation, except those with other actions than a table
    /// lookup or a goto.
    package borrowing func rules() throws(HostError) -> [RoutingRule] {
        var rules: [RoutingRule] = []
        for family in [AF_INET, AF_INET6] {
            var code = -NLE_DUMP_INTR
            // A dump interrupted by a change has to be repeated.
            for _ in 0..<10 where code == -NLE_DUMP_INTR {
                var list: [RoutingRule] = []
                code = try read(family, &list)
                if code >= 0 { rules += list }
            }
            // A kernel without IPv6, or without policy routing, has none.
            if code == -NLE_AF_NOSUPPORT || code == -NLE_OPNOTSUPP { continue }
            try check(code, "list rules")
        }
        return rules
    }

    /// Reads a family's rules; returns libnl's code.
    private borrowing func read(_ family: Int32, _ rules: inout [RoutingRule]) throws(HostError) -> Int32 {
        var header = fib_rule_hdr()
        header.family = UInt8(family)
        let sent = nl_send_simple(
            socket, Int32(RTM_GETRULE), NLM_F_DUMP, &header, MemoryLayout<fib_rule_hdr>.size)
        try check(sent, "list rules")
        return withUnsafeMutablePointer(to: &rules) { list in
            let collect: nl_recvmsg_msg_cb_t = { message, list in
                if let message, let list, let rule = RoutingRule(message) {
                    list.assumingMemoryBound(to: [RoutingRule].self).pointee.append(rule)
                }
                return Int32(NL_OK.rawValue)
            }
            nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, collect, list)
            defer { nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_DEFAULT, nil, nil) }
            return nl_recvmsgs_default(socket)
        }
    }

    /// Adds a rule.
    /// - Throws: `HostError` whose `alreadyThere` is true if an equal rule exists.
    package borrowing func addRule(_ rule: RoutingRule) throws(HostError) {
        try send(
            rule, RTM_NEWRULE, flags: NLM_F_CREATE | NLM_F_EXCL, "add a rule for table \(rule.table)")
    }

    /// Removes a rule.
    package borrowing func removeRule(_ rule: RoutingRule) throws(HostError) {
        try send(rule, RTM_DELRULE, flags: 0, "remove a rule for table \(rule.table)")
    }

    private borrowing func send(
        _ rule: RoutingRule, _ type: Int, flags: Int32, _ action: String
    ) throws(HostError) {
        guard let message = nlmsg_alloc_simple(Int32(type), flags) else {
            throw .netlink(action, code: NLE_NOMEM)
        }
        // nl_send_sync frees the message.
        guard rule.write(to: message) else {
            nlmsg_free(message)
            throw .netlink(action, code: NLE_MSGSIZE)
        }
        try check(nl_send_sync(socket, message), action)
    }
}

extension RoutingRule {
    private static let headerSize = Int32(MemoryLayout<fib_rule_hdr>.size)

    /// Reads a message; nil if the rule's action is not a table lookup or a goto.
    fileprivate init?(_ message: OpaquePointer) {
        guard let packet = nlmsg_hdr(message), Int(packet.pointee.nlmsg_type) == RTM_NEWRULE,
            nlmsg_datalen(packet) >= Self.headerSize, let data = nlmsg_data(packet)
        else { return nil }
        let header = data.loadUnaligned(as: fib_rule_hdr.self)
        guard [FR_ACT_TO_TBL, FR_ACT_GOTO].contains(Int(header.action)) else { return nil }
        func find(_ type: Int) -> UnsafeMutablePointer<nlattr>? {
            nlmsg_find_attr(packet, Self.headerSize, Int32(type))
        }
        func number(_ type: Int) -> UInt32? { find(type).map { nla_get_u32($0) } }
        self.init(
            Int32(header.family) == AF_INET ? .v4 : .v6, priority: number(FRA_PRIORITY) ?? 0,
            table: number(FRA_TABLE) ?? UInt32(header.table))
        isInverted = header.flags & UInt32(FIB_RULE_INVERT) != 0
        target = Int(header.action) == FR_ACT_GOTO ? number(FRA_GOTO) ?? 0 : nil
        mark = number(FRA_FWMARK)
        mask = number(FRA_FWMASK) ?? .max
        source = find(FRA_SRC).flatMap { CIDR($0, family, length: header.src_len) }
        destination = find(FRA_DST).flatMap { CIDR($0, family, length: header.dst_len) }
        input = find(FRA_IIFNAME).flatMap { nla_get_string($0) }.map { String(cString: $0) }
        output = find(FRA_OIFNAME).flatMap { nla_get_string($0) }.map { String(cString: $0) }
        destinationPort = find(FRA_DPORT_RANGE).flatMap { attribute in
            guard nla_len(attribute) >= 4, let data = nla_data(attribute) else { return nil }
            return data.loadUnaligned(as: fib_rule_port_range.self).start
        }
        // The kernel reports -1 for none.
        suppressedPrefix = number(FRA_SUPPRESS_PREFIXLEN).flatMap { $0 == .max ? nil : $0 }
        origin = find(FRA_PROTOCOL).map { nla_get_u8($0) } ?? 0
    }

    /// Writes the rule into a message; false if there is not enough room.
    fileprivate func write(to message: OpaquePointer) -> Bool {
        var header = fib_rule_hdr()
        header.family = UInt8(family == .v4 ? AF_INET : AF_INET6)
        header.action = UInt8(target == nil ? FR_ACT_TO_TBL : FR_ACT_GOTO)
        header.src_len = UInt8(source?.length ?? 0)
        header.dst_len = UInt8(destination?.length ?? 0)
        if isInverted { header.flags = UInt32(FIB_RULE_INVERT) }
        var codes = [
            nlmsg_append(message, &header, MemoryLayout<fib_rule_hdr>.size, Int32(NLMSG_ALIGNTO)),
            nla_put_u32(message, Int32(FRA_PRIORITY), priority),
            nla_put_u32(message, Int32(FRA_TABLE), table),
            nla_put_u8(message, Int32(FRA_PROTOCOL), origin),
        ]
        if let target { codes.append(nla_put_u32(message, Int32(FRA_GOTO), target)) }
        if let mark {
            codes.append(nla_put_u32(message, Int32(FRA_FWMARK), mark))
            codes.append(nla_put_u32(message, Int32(FRA_FWMASK), mask))
        }
        if let input { codes.append(nla_put_string(message, Int32(FRA_IIFNAME), input)) }
        if let output { codes.append(nla_put_string(message, Int32(FRA_OIFNAME), output)) }
        if let port = destinationPort {
            var range = fib_rule_port_range(start: port, end: port)
            let size = MemoryLayout<fib_rule_port_range>.size
            codes.append(nla_put(message, Int32(FRA_DPORT_RANGE), Int32(size), &range))
        }
        if let suppressedPrefix {
            codes.append(nla_put_u32(message, Int32(FRA_SUPPRESS_PREFIXLEN), suppressedPrefix))
        }
        for (type, network) in [(FRA_SRC, source), (FRA_DST, destination)] {
            guard let network else { continue }
            var bytes = [UInt8](repeating: 0, count: network.address.byteCount)
            bytes.withUnsafeMutableBytes { network.address.write(to: $0) }
            codes.append(nla_put(message, Int32(type), Int32(bytes.count), bytes))
        }
        return codes.allSatisfy { $0 >= 0 }
    }
}

extension CIDR {
    /// The network in an attribute; nil if it is too short.
    init?(_ attribute: UnsafeMutablePointer<nlattr>, _ family: IPAddress.Family, length: UInt8) {
        guard let data = nla_data(attribute), nla_len(attribute) >= (family == .v4 ? 4 : 16) else {
            return nil
        }
        let bytes = UnsafeRawBufferPointer(start: data, count: family == .v4 ? 4 : 16)
        self.init(IPAddress(family, bytes: bytes), length: Int(length))
    }
}
