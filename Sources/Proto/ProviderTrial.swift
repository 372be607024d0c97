import Packet

/// The trial that libcrypto has to pass before it is used: it is the same cipher as libsodium's, and it is faster.
enum ProviderTrial {
    /// The lengths at which implementations tend to fail, around a block and at a packet's size; more are random.
    private static let lengths = [0, 1, 15, 16, 17, 63, 64, 65, 1400, 2000]
    static let cases = 64
    private static let longest = 2000

    /// Whether libcrypto agrees with libsodium in all cases, or with itself if libsodium does not support
    /// `suite`. The cases are random but the same at every start, so that a failure is reproducible.
    static func passes(_ suite: CipherSuite) -> Bool {
        let reference: AEADProvider = AEADProvider.sodium.has(suite) ? .sodium : .libcrypto
        var entropy = Entropy(seed: [UInt8](repeating: suite.rawValue, count: 32))
        let material = SecretBytes(count: DirectionKey.materialSize)
        for index in 0..<cases {
            entropy.fill(material.bytes)
            let length =
                index < lengths.count ? lengths[index] : Int(entropy.below(UInt64(longest + 1)))
            guard
                var one = DirectionKey(
                    material: UnsafeRawBufferPointer(material.bytes), suite: suite, provider: reference),
                var other = DirectionKey(
                    material: UnsafeRawBufferPointer(material.bytes), suite: suite, provider: .libcrypto),
                agree(&one, &other, length: length, &entropy)
            else { return false }
        }
        return true
    }

    /// Whether both keys produce the same bytes for a random datagram, open each other's, in place and apart,
    /// and refuse it after any single bit has changed.
    static func agree(
        _ one: inout DirectionKey, _ other: inout DirectionKey, length: Int, _ entropy: inout Entropy
    ) -> Bool {
        let sealedLength = length + Wire.tagSize
        let memory = SecretBytes(count: Wire.headerSize + length + 3 * sealedLength)
        let header = memory.slice(0, Wire.headerSize)
        let plaintext = memory.slice(Wire.headerSize, length)
        let rest = memory.bytes.dropping(Wire.headerSize + length)
        let first = rest.slice(0, sealedLength)
        let second = rest.slice(sealedLength, sealedLength)
        let opened = rest.slice(2 * sealedLength, sealedLength)
        entropy.fill(header)
        entropy.fill(plaintext)
        let path = UInt16(truncatingIfNeeded: entropy.next())
        let number = entropy.next() & Wire.maximumPacketNumber
        let read = UnsafeRawBufferPointer(header)

        _ = one.seal(
            UnsafeRawBufferPointer(plaintext), into: first, header: read, pathID: path, packetNumber: number)
        second.copyMemory(from: UnsafeRawBufferPointer(plaintext))
        _ = other.seal(
            UnsafeRawBufferPointer(second.slice(0, length)), into: second, header: read, pathID: path,
            packetNumber: number)
        guard first.elementsEqual(second),
            one.open(
                UnsafeRawBufferPointer(second), into: opened, header: read, pathID: path, packetNumber: number
            ),
            opened.prefix(length).elementsEqual(plaintext),
            other.open(
                UnsafeRawBufferPointer(first), into: first, header: read, pathID: path, packetNumber: number),
            first.prefix(length).elementsEqual(plaintext)
        else { return false }

        let bit = Int(entropy.below(UInt64(8 * (Wire.headerSize + sealedLength))))
        if bit / 8 < Wire.headerSize {
            header[bit / 8] ^= 1 << (bit % 8)
        } else {
            second[bit / 8 - Wire.headerSize] ^= 1 << (bit % 8)
        }
        return !one.open(
            UnsafeRawBufferPointer(second), into: opened, header: read, pathID: path, packetNumber: number)
            && !other.open(
                UnsafeRawBufferPointer(second), into: opened, header: read, pathID: path, packetNumber: number
            )
            && opened.prefix(length).allSatisfy { $0 == 0 }
    }

    /// The library that seals and opens full-size packets in less time: the best of several short turns each,
    /// because other programs use the CPU, too. It takes 4 ms plus one turn on a slow CPU.
    static func fastest(_ suite: CipherSuite) -> AEADProvider {
        let packet = SecretBytes(count: 1400 + Wire.tagSize)
        let header = SecretBytes(count: Wire.headerSize)
        let material = SecretBytes(count: DirectionKey.materialSize)
        var best: [AEADProvider: Duration] = [:]
        let start = ContinuousClock.now
        repeat {
            for provider in AEADProvider.allCases {
                guard
                    var key = DirectionKey(
                        material: UnsafeRawBufferPointer(material.bytes), suite: suite, provider: provider)
                else { continue }
                let began = ContinuousClock.now
                for number in 0..<32 as Range<UInt64> {
                    turn(&key, packet, header, number)
                }
                best[provider] = min(best[provider] ?? .seconds(1), ContinuousClock.now - began)
            }
        } while ContinuousClock.now - start < .milliseconds(4)
        guard let sodium = best[.sodium] else { return .libcrypto }
        guard let libcrypto = best[.libcrypto] else { return .sodium }
        return libcrypto < sodium ? .libcrypto : .sodium
    }

    private static func turn(
        _ key: inout DirectionKey, _ packet: borrowing SecretBytes, _ header: borrowing SecretBytes,
        _ number: UInt64
    ) {
        let plaintext = UnsafeRawBufferPointer(packet.slice(0, 1400))
        let header = UnsafeRawBufferPointer(header.bytes)
        _ = key.seal(plaintext, into: packet.bytes, header: header, pathID: 0, packetNumber: number)
        _ = key.open(
            UnsafeRawBufferPointer(packet.bytes), into: packet.bytes, header: header, pathID: 0,
            packetNumber: number)
    }
}
