import CNetlink
import Packet

/// A packet that opens a connection to a port of this host, evaluated against another program's chains.
///
/// The interface, IP version, transport protocol, destination port and connection state (new, local destination) are known;
/// the source is not. A rule that depends on nothing else is evaluated exactly. Of the others, an accept that names the port
/// counts as letting the packet in, because its author had this port in mind; an accept that does not name it, for example
/// for some sources, is recorded in `someMayPass`; and a drop is assumed to concern other packets.
final class InputProbe {
    private let family: IPAddress.Family
    private let from: String
    private let transport: UInt8
    private let port: UInt16
    private let sets: (String) -> RulesetSet?

    /// Whether some packets to the port may pass, by a rule whose condition cannot be evaluated.
    private(set) var someMayPass = false

    /// - Parameters:
    ///   - transport: the transport protocol's IP number.
    ///   - sets: returns a set of the table.
    init(
        family: IPAddress.Family, from: String, transport: UInt8, port: UInt16,
        sets: @escaping (String) -> RulesetSet?
    ) {
        (self.family, self.from, self.transport) = (family, from, transport)
        (self.port, self.sets) = (port, sets)
    }

    /// Sends the packet through a base chain.
    /// - Parameter rules: returns the rules of a chain in the same table.
    func drop(in base: RulesetChain, rules: (String) -> [RulesetRule]) -> RulesetWalk.Drop? {
        RulesetWalk.drop(in: base, rules: rules, decide: decide)
    }

    private func decide(_ rule: RulesetRule) -> RulesetWalk.Decision? {
        var registers = Registers()
        var isCertain = true
        var isMeant = false
        /// - Returns: whether evaluation of the rule continues.
        func goesOn(_ matches: Bool?, namesPort: Bool) -> Bool {
            guard let matches else {
                isCertain = false
                return true
            }
            if matches && namesPort { isMeant = true }
            return matches
        }
        for step in rule.steps {
            switch step {
            case .meta(let register, let key): registers.load(register, meta(key))
            case .payload(let register, let base, let offset, let length):
                registers.load(register, payload(base, offset, length))
            case .connectionState(let register): registers.load(register, Self.host(8))
            case .connectionStatus(let register): registers.load(register, Self.unknown(4))
            // RTN_LOCAL
            case .destinationType(let register): registers.load(register, Self.host(2))
            case .bitwise(let source, let destination, let mask, let xor):
                registers.load(destination, registers.masked(source, mask, xor))
            case .compare(let register, let operation, let bytes):
                let matches = registers.compare(register, operation, bytes)
                // "Any port but 22" does not name this port.
                let names = registers.isPort(register) && operation != NFT_CMP_NEQ.rawValue
                guard goesOn(matches, namesPort: names) else { return nil }
            case .range(let register, let isInverted, let low, let high):
                let matches = registers.bytes(register, low.count).map {
                    (!$0.lexicographicallyPrecedes(low) && !high.lexicographicallyPrecedes($0)) != isInverted
                }
                guard goesOn(matches, namesPort: registers.isPort(register) && !isInverted) else {
                    return nil
                }
            case .lookup(let register, let name, let isInverted, let decides):
                let set = sets(name)
                let count = set?.elements.first?.key.count ?? 0
                let found = registers.bytes(register, count).flatMap { set?.element(of: $0) }
                if set?.elements.isEmpty == true, set?.isWhole == true {
                    guard isInverted else { return nil }
                    continue
                }
                let isKnown = found?.isKnown ?? false
                let matches = isKnown ? (found?.element != nil) != isInverted : nil
                guard goesOn(matches, namesPort: registers.isPort(register, count) && !isInverted) else {
                    return nil
                }
                if decides, isKnown, let verdict = found?.element?.verdict { return (verdict, isCertain) }
            case .ports(let ranges, let isInverted, let isAll):
                let isIn = ranges.contains { $0.contains(port) }
                let isSome = ranges.contains { $0.count < 65_536 }
                guard goesOn(isIn != isInverted, namesPort: isSome && !isInverted) else { return nil }
                if !isAll { isCertain = false }
            case .destinationTypes(let types, let isInverted, let isAll):
                guard goesOn((types & 1 << 2 != 0) != isInverted, namesPort: false) else { return nil }
                if !isAll { isCertain = false }
            // XT_CONNTRACK_STATE_BIT: new is 8.
            case .states(let bits, let isInverted, let isAll):
                guard (bits & 8 != 0) != isInverted else { return nil }
                if !isAll { isCertain = false }
            case .match("comment"), .match("tcp"), .match("udp"), .counter, .harmless: break
            case .match, .unknown: isCertain = false
            case .verdict(1, _) where !isCertain && !isMeant:
                someMayPass = true
                return nil
            case .verdict, .reject, .target: return (step, isCertain)
            }
        }
        return nil
    }

    // MARK: Conditions of a rule

    /// The bytes loaded by a step, nil where unknown.
    private typealias Value = (bytes: [UInt8?], isPort: Bool)

    private static func unknown(_ count: Int) -> Value { ([UInt8?](repeating: nil, count: count), false) }

    private static func host(_ value: UInt32) -> Value { (withUnsafeBytes(of: value) { Array($0) }, false) }

    private func meta(_ key: UInt32) -> Value {
        switch key {
        case NFT_META_IIFNAME.rawValue: return (RulesetWalk.name(from), false)
        case NFT_META_IIF.rawValue: return RulesetWalk.index(from).map { ($0, false) } ?? Self.unknown(4)
        case NFT_META_NFPROTO.rawValue: return ([family == .v4 ? 2 : 10], false)
        case NFT_META_PROTOCOL.rawValue: return (family == .v4 ? [0x08, 0x00] : [0x86, 0xDD], false)
        case NFT_META_L4PROTO.rawValue: return ([transport], false)
        case NFT_META_OIFNAME.rawValue, NFT_META_IIFKIND.rawValue: return Self.unknown(16)
        default: return Self.unknown(4)
        }
    }

    private func payload(_ base: UInt32, _ offset: UInt32, _ length: UInt32) -> Value {
        let ports = [UInt8(port >> 8), UInt8(port & 0xFF)]
        switch (base, offset, length) {
        case (NFT_PAYLOAD_TRANSPORT_HEADER.rawValue, 2, 2): return (ports, true)
        case (NFT_PAYLOAD_TRANSPORT_HEADER.rawValue, 0, 4): return ([nil, nil] + ports, true)
        // The TCP flags of a connection request: SYN.
        case (NFT_PAYLOAD_TRANSPORT_HEADER.rawValue, 13, 1) where transport == 6: return ([2], false)
        case (NFT_PAYLOAD_NETWORK_HEADER.rawValue, 9, 1) where family == .v4: return ([transport], false)
        case (NFT_PAYLOAD_NETWORK_HEADER.rawValue, 6, 1) where family == .v6: return ([transport], false)
        default: return Self.unknown(Int(min(length, 64)))
        }
    }

    /// The kernel's registers: 16 words of 4 bytes, which are also addressed as four registers of 16 bytes.
    private struct Registers {
        private var content = [UInt8?](repeating: nil, count: 64 + 16)
        private var portAt: Set<Int> = []

        private static func offset(_ register: UInt32) -> Int {
            // NFT_REG_1 to NFT_REG_4 are 1 to 4, NFT_REG32_00 is 8.
            register >= 8 ? Int(min(register - 8, 15)) * 4 : Int(max(register, 1) - 1) * 16
        }

        mutating func load(_ register: UInt32, _ value: Value) {
            let start = Self.offset(register)
            // The kernel writes whole words.
            let padded = value.bytes + [UInt8?](repeating: 0, count: (4 - value.bytes.count % 4) % 4)
            for (index, byte) in padded.enumerated() where start + index < content.count {
                content[start + index] = byte
            }
            if value.isPort { portAt.insert(start) } else { portAt.remove(start) }
        }

        func bytes(_ register: UInt32, _ count: Int) -> [UInt8]? {
            let start = Self.offset(register)
            guard count > 0, start + count <= content.count else { return nil }
            let part = content[start..<start + count]
            return part.contains { $0 == nil } ? nil : part.compactMap(\.self)
        }

        /// Whether a comparison holds; nil if too little is known.
        func compare(_ register: UInt32, _ operation: UInt32, _ wanted: [UInt8]) -> Bool? {
            if let bytes = bytes(register, wanted.count) {
                return RulesetWalk.compare(bytes, operation, wanted)
            }
            // One known byte that differs is enough.
            let start = Self.offset(register)
            let differs = zip(content.dropFirst(start), wanted).contains { $0 != nil && $0 != $1 }
            guard differs else { return nil }
            switch operation {
            case NFT_CMP_EQ.rawValue: return false
            case NFT_CMP_NEQ.rawValue: return true
            default: return nil
            }
        }

        /// Whether the port is among the `count` bytes from a register on.
        func isPort(_ register: UInt32, _ count: Int = 4) -> Bool {
            let start = Self.offset(register)
            return portAt.contains { $0 >= start && $0 < start + max(count, 1) }
        }

        func masked(_ register: UInt32, _ mask: [UInt8], _ xor: [UInt8]) -> Value {
            guard mask.count == xor.count, let bytes = bytes(register, mask.count) else {
                return InputProbe.unknown(mask.count)
            }
            return (mask.indices.map { bytes[$0] & mask[$0] ^ xor[$0] }, isPort(register))
        }
    }
}
