/// A key that the live view knows.
enum Key: Equatable {
    case quit, mode, role, sort, open, back, up, down, top, bottom

    /// The keys in the bytes of one read from the terminal, which holds complete sequences: slow lines do not
    /// split them in practice. Unknown sequences are skipped.
    static func keys(in bytes: some Sequence<UInt8>) -> [Key] {
        var keys: [Key] = []
        var rest = Array(bytes)[...]
        while let byte = rest.popFirst() {
            guard byte == 0x1B else {
                if let key = plain[byte] { keys.append(key) }
                continue
            }
            // CSI and SS3 sequences: parameters, then one letter; an escape by itself is the key.
            guard let next = rest.first, next == UInt8(ascii: "[") || next == UInt8(ascii: "O") else {
                keys.append(.back)
                continue
            }
            rest.removeFirst()
            rest = rest.drop { (0x20...0x3F).contains($0) }
            if let final = rest.popFirst(), let key = sequences[final] { keys.append(key) }
        }
        return keys
    }

    private static let plain: [UInt8: Key] = [
        // Raw mode delivers control characters unchanged: ^C, ^D and ^\ quit, too.
        0x03: .quit, 0x04: .quit, 0x1C: .quit, UInt8(ascii: "q"): .quit, UInt8(ascii: "Q"): .quit,
        UInt8(ascii: "m"): .mode, UInt8(ascii: "r"): .role, UInt8(ascii: "s"): .sort,
        UInt8(ascii: "\r"): .open, UInt8(ascii: "\n"): .open, 0x7F: .back, 0x08: .back,
        UInt8(ascii: "k"): .up, UInt8(ascii: "j"): .down, UInt8(ascii: "g"): .top, UInt8(ascii: "G"): .bottom,
    ]

    private static let sequences: [UInt8: Key] = [
        UInt8(ascii: "A"): .up, UInt8(ascii: "B"): .down, UInt8(ascii: "C"): .open, UInt8(ascii: "D"): .back,
        UInt8(ascii: "H"): .top, UInt8(ascii: "F"): .bottom,
    ]
}
