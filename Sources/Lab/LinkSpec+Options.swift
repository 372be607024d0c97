import LinkModel

extension LinkSpec {
    /// Applies options in the syntax that follows the name: `loss=2%,up.rate=10`. Throws `badSpec`.
    /// Either all are applied or none is.
    public mutating func apply(_ options: String) throws(LabError) {
        var changed = self
        for option in options.split(separator: ",", omittingEmptySubsequences: false) {
            try changed.set(option)
        }
        self = changed
    }

    /// Applies one option.
    mutating func set(_ option: some StringProtocol) throws(LabError) {
        let text = String(option)
        let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let value = sides.count == 2 ? String(sides[1]) : nil
        let key = sides[0]
        if key == "mtu" {
            guard let value, let bytes = Int(value), (576...Self.maximumMTU).contains(bytes) else {
                throw .badSpec(text: text, reason: "an MTU is between 576 and \(Self.maximumMTU) bytes")
            }
            mtu = bytes
        } else if key.hasPrefix("up.") {
            try up.set(String(key.dropFirst(3)), value, in: text)
        } else if key.hasPrefix("down.") {
            try down.set(String(key.dropFirst(5)), value, in: text)
        } else {
            try up.set(String(key), value, in: text)
            try down.set(String(key), value, in: text)
        }
    }
}
