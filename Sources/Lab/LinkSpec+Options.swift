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

extension LinkShape {
    /// Applies one option without its direction; `text` is the complete option, for the error.
    fileprivate mutating func set(_ key: String, _ value: String?, in text: String) throws(LabError) {
        if key == "reorder" {
            guard [nil, "yes", "no"].contains(value) else {
                throw .badSpec(text: text, reason: "'reorder' stands alone, or with 'yes' or 'no'")
            }
            reorders = value != "no"
            return
        }
        guard let value else { throw .badSpec(text: text, reason: "write '\(key)=' and a value") }
        switch key {
        case "rate": rate = value == "inf" ? 0 : try Self.megabits(value, in: text)
        case "delay": delay = try Self.milliseconds(value, in: text)
        case "queue": queue = try Self.milliseconds(value, in: text)
        case "jitter": jitter = try Self.milliseconds(value, in: text)
        case "loss": loss = try Self.fraction(value, in: text)
        case "dup": duplication = try Self.fraction(value, in: text)
        case "burst":
            guard let length = Self.number(value), length == 0 || (1...1e6).contains(length) else {
                throw .badSpec(text: text, reason: "a mean burst is at least 1 frame, or 0 for none")
            }
            burst = length
        default:
            throw .badSpec(
                text: text,
                reason: "the keys are rate, delay, queue, jitter, reorder, loss, burst, dup and mtu")
        }
        // Such short bursts cannot cause so much loss: the chain would have to enter the bad state with p > 1.
        if burst > 0 && loss < 1 && loss > burst / (burst + 1) {
            throw .badSpec(
                text: text, reason: "so much loss needs longer bursts: loss is at most burst/(burst+1)")
        }
    }

    /// A plain decimal number, without other forms that `Double` accepts (nan, hex, exponents).
    private static func number(_ text: some StringProtocol) -> Double? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2e } ? Double(text) : nil
    }

    /// Parses a rate to bits per second.
    private static func megabits(_ value: String, in text: String) throws(LabError) -> UInt64 {
        guard let number = number(value), (0.001...100_000).contains(number) else {
            throw .badSpec(text: text, reason: "a rate is in Mbit/s, between 0.001 and 100000, or 'inf'")
        }
        return UInt64((number * 1e6).rounded())
    }

    /// Parses a time to nanoseconds.
    private static func milliseconds(_ value: String, in text: String) throws(LabError) -> UInt64 {
        guard let number = number(value), number <= 60_000 else {
            throw .badSpec(text: text, reason: "a time is in ms, between 0 and 60000")
        }
        return UInt64((number * 1e6).rounded())
    }

    /// Parses a fraction, 0...1.
    private static func fraction(_ value: String, in text: String) throws(LabError) -> Double {
        let percent = value.hasSuffix("%")
        guard let number = number(percent ? String(value.dropLast()) : value), number <= (percent ? 100 : 1)
        else {
            throw .badSpec(text: text, reason: "a fraction is written as 2% or 0.02")
        }
        return percent ? number / 100 : number
    }
}
