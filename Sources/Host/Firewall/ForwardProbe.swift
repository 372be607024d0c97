import CNetlink
import Glibc
import Packet

/// A packet that a server should forward, evaluated against another program's chains.
///
/// Its interfaces, IP version, source and connection state are known. A rule that depends on nothing else is
/// evaluated exactly; one that also tests a port, a set or an iptables match may or may not concern the packet.
/// Such a rule counts as letting the packet through if it accepts and names the tunnel's interface, a set of
/// interfaces, or established connections, because its author had the tunnel in mind; otherwise it is assumed
/// to concern other packets. So a rule that drops only some of the packets goes unnoticed, and one that accepts
/// the tunnel's is never missed.
struct ForwardProbe {
    let family: IPAddress.Family
    let from: String
    let into: String
    /// The source address of a packet from a client; nil for one from any other host.
    let source: IPAddress?
    /// Whether it is a reply to a packet that was let through.
    let isAnswer: Bool
    /// The tunnel's interface.
    let tunnel: String
    /// Whether it belongs to a service, so that its destination has been translated.
    var isService = false

    /// Sends it through a base chain.
    /// - Parameter rules: returns the rules of a chain in the same table.
    func drop(in base: RulesetChain, rules: (String) -> [RulesetRule]) -> RulesetWalk.Drop? {
        RulesetWalk.drop(in: base, rules: rules, decide: decide)
    }

    /// The rule's verdict if it may concern the packet, and whether it certainly does; nil if it does not, or
    /// has no verdict. An accept that is uncertain counts only if the rule's author had the tunnel in mind.
    private func decide(_ rule: RulesetRule) -> RulesetWalk.Decision? {
        var registers: [UInt32: Loaded] = [:]
        var isCertain = true
        var isMeant = false
        for step in rule.steps {
            switch step {
            case .meta(let register, let key): registers[register] = meta(key)
            case .payload(let register, let base, let offset, let length):
                registers[register] = payload(base, offset, length)
            case .connectionState(let register): registers[register] = state
            case .connectionStatus(let register): registers[register] = status
            case .bitwise(let source, let destination, let mask, let xor):
                registers[destination] = registers[source]?.masked(mask, xor)
            case .compare(let register, let operation, let bytes):
                guard let loaded = registers[register], let value = loaded.bytes else {
                    isCertain = false
                    continue
                }
                guard RulesetWalk.compare(value, operation, bytes) else { return nil }
                let isEqual = operation == NFT_CMP_EQ.rawValue
                if loaded.isTunnel && isEqual || loaded.isState && isAnswer || loaded.isStatus {
                    isMeant = true
                }
            case .match("comment"), .counter, .harmless: break
            case .states(let bits, let isInverted, let isAll) where isService:
                guard (bits & Self.translated(isAnswer) != 0) != isInverted else { return nil }
                if !isAll { isCertain = false }
                if isAnswer || bits & Self.translation != 0 { isMeant = true }
            case .states:
                isCertain = false
                if isAnswer { isMeant = true }
            case .match(let name):
                isCertain = false
                if isAnswer && (name == "conntrack" || name == "state") { isMeant = true }
                if isService && name == "conntrack" { isMeant = true }
            case .lookup(let register, _, _, let decides):
                isCertain = false
                guard registers[register]?.isInterface == true else { continue }
                isMeant = true
                if decides { return (.verdict(1, chain: nil), false) }
            case .ports, .destinationTypes, .range, .destinationType, .unknown: isCertain = false
            case .verdict(1, _) where !isCertain && !isMeant: return nil
            case .verdict, .reject, .target: return (step, isCertain)
            }
        }
        return nil
    }

    // MARK: Conditions of a rule

    private struct Loaded {
        /// The value; nil if unknown.
        var bytes: [UInt8]?
        /// Whether the rule names the tunnel here.
        var isTunnel = false
        var isInterface = false
        var isState = false
        /// Whether this is the status bit of a translated destination.
        var isStatus = false

        func masked(_ mask: [UInt8], _ xor: [UInt8]) -> Loaded {
            guard let bytes, mask.count == xor.count, mask.count <= bytes.count else {
                return Loaded(bytes: nil)
            }
            var result = self
            result.bytes = mask.indices.map { bytes[$0] & mask[$0] ^ xor[$0] }
            return result
        }
    }

    private func meta(_ key: UInt32) -> Loaded {
        switch key {
        case NFT_META_IIFNAME.rawValue:
            Loaded(bytes: RulesetWalk.name(from), isTunnel: from == tunnel, isInterface: true)
        case NFT_META_OIFNAME.rawValue:
            Loaded(bytes: RulesetWalk.name(into), isTunnel: into == tunnel, isInterface: true)
        case NFT_META_IIF.rawValue:
            Loaded(bytes: RulesetWalk.index(from), isTunnel: from == tunnel, isInterface: true)
        case NFT_META_OIF.rawValue:
            Loaded(bytes: RulesetWalk.index(into), isTunnel: into == tunnel, isInterface: true)
        case NFT_META_NFPROTO.rawValue: Loaded(bytes: [family == .v4 ? 2 : 10])
        case NFT_META_PROTOCOL.rawValue: Loaded(bytes: family == .v4 ? [0x08, 0x00] : [0x86, 0xDD])
        default: Loaded(bytes: nil)
        }
    }

    private func payload(_ base: UInt32, _ offset: UInt32, _ length: UInt32) -> Loaded {
        let start: UInt32 = family == .v4 ? 12 : 8
        guard base == NFT_PAYLOAD_NETWORK_HEADER.rawValue, offset == start, let source,
            length <= UInt32(source.byteCount)
        else { return Loaded(bytes: nil) }
        var bytes = [UInt8](repeating: 0, count: source.byteCount)
        bytes.withUnsafeMutableBytes { source.write(to: $0) }
        return Loaded(bytes: Array(bytes.prefix(Int(length))), isTunnel: true)
    }

    /// The bits of NF_CT_STATE_BIT: established 2, new 8.
    private var state: Loaded {
        Loaded(bytes: withUnsafeBytes(of: UInt32(isAnswer ? 2 : 8)) { Array($0) }, isState: true)
    }

    /// The bits of IPS_…: destination translated 32; for a reply also seen both ways 2, assured 4, confirmed 8.
    /// Unknown for packets that do not belong to a service.
    private var status: Loaded {
        guard isService else { return Loaded(bytes: nil) }
        let bits: UInt32 = isAnswer ? 0x2E : 0x20
        return Loaded(bytes: withUnsafeBytes(of: bits) { Array($0) }, isStatus: true)
    }

    /// XT_CONNTRACK_STATE_DNAT.
    private static let translation: UInt16 = 1 << 7

    /// The state bits iptables sees for a service's packet: established 2 or new 8, and translated.
    private static func translated(_ isAnswer: Bool) -> UInt16 { (isAnswer ? 2 : 8) | translation }

}
