/// The names of clients, paths and hosts: what fits into a command line, a metric's label and a frame.
public enum Label {
    /// The most characters.
    public static let longest = 63

    /// Whether these are some of the letters, digits, `-`, `_` and `.`, at least one and at most `longest`.
    public static func isGood(_ name: some Collection<UInt8>) -> Bool {
        (1...longest).contains(name.count)
            && name.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || byte == 45 || byte == 46 || byte == 95
            }
    }
}
