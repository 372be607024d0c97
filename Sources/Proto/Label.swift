/// The rule for names of clients, paths and hosts: characters safe on a command line, in a metric's label and
/// in a frame.
public enum Label {
    /// Maximum length in characters.
    public static let longest = 63

    /// Whether all characters are letters, digits, `-`, `_` or `.`, and there are 1 to `longest` of them.
    public static func isGood(_ name: some Collection<UInt8>) -> Bool {
        (1...longest).contains(name.count)
            && name.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || byte == 45 || byte == 46 || byte == 95
            }
    }
}
