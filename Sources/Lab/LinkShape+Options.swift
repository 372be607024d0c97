import LinkModel

extension LinkShape {
    /// Applies one option without its direction; `text` is the whole option, for the error.
    mutating func set(_ key: String, _ value: String?, in text: String) throws(LabError) {
        if key == "reorder" {
            guard [nil, "yes", "no"].contains(value) else {
                throw .badSpec(text: text, reason: "'reorder' stands alone, or with 'yes' or 'no'")
            }
            reorders = value != "no"
            return
        }
        guard let value else { throw .badSpec(text: text, reason: "write '\(key)=' and a value") }
        switch key {
        case "rate":
            rate = value == "inf" ? 0 : try Self.megabits(value, in: text)
            trace = nil
        case "trace": trace = try RateTrace(argument: value, in: text)
        case "delay": delay = try Self.milliseconds(value, in: text)
        case "queue": try setQueue(value, in: text)
        case "jitter": jitter = try Self.milliseconds(value, in: text)
        case "lag": lag = try Self.milliseconds(value, in: text)
        case "grants": grants = try Self.range(value, in: text)
        case "police": policer = try Self.policer(value, in: text)
        case "handover": handover = try Self.recurrence(value, in: text)
        case "outage": outage = try Self.recurrence(value, in: text)
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
                reason:
                    "the keys are rate, trace, delay, queue, jitter, lag, grants, reorder, loss, burst, dup, police, "
                    + "handover, outage and mtu")
        }
        // Bursts this short cannot cause this much loss: the chain would have to enter the bad state with p >
        // 1.
        if burst > 0 && loss < 1 && loss > burst / (burst + 1) {
            throw .badSpec(
                text: text, reason: "so much loss needs longer bursts: loss is at most burst/(burst+1)")
        }
    }

    /// A plain decimal number: nil for other forms that `Double` accepts (nan, hex, exponents).
    static func number(_ text: some StringProtocol) -> Double? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2e } ? Double(text) : nil
    }

    /// Bits per second.
    private static func megabits(_ value: String, in text: String) throws(LabError) -> UInt64 {
        guard let number = number(value), (0.001...100_000).contains(number) else {
            throw .badSpec(text: text, reason: "a rate is in Mbit/s, between 0.001 and 100000, or 'inf'")
        }
        return UInt64((number * 1e6).rounded())
    }

    /// Nanoseconds.
    private static func milliseconds(_ value: String, in text: String) throws(LabError) -> UInt64 {
        guard let number = number(value), number <= 60_000 else {
            throw .badSpec(text: text, reason: "a time is in ms, between 0 and 60000")
        }
        return UInt64((number * 1e6).rounded())
    }

    /// 0...1.
    private static func fraction(_ value: String, in text: String) throws(LabError) -> Double {
        let percent = value.hasSuffix("%")
        guard let number = number(percent ? String(value.dropLast()) : value), number <= (percent ? 100 : 1)
        else {
            throw .badSpec(text: text, reason: "a fraction is written as 2% or 0.02")
        }
        return percent ? number / 100 : number
    }

    /// Milliseconds of the rate, or kilobytes.
    private mutating func setQueue(_ value: String, in text: String) throws(LabError) {
        if value.hasSuffix("kB") {
            queueBytes = try Self.kilobytes(value.dropLast(2), in: text)
        } else {
            queue = try Self.milliseconds(value, in: text)
            queueBytes = nil
        }
    }

    /// Bytes.
    private static func kilobytes(_ value: some StringProtocol, in text: String) throws(LabError) -> Int {
        guard let number = number(value), (0.1...1_000_000).contains(number) else {
            throw .badSpec(text: text, reason: "a size is in kB, between 0.1 and 1000000")
        }
        return Int((number * 1000).rounded())
    }

    /// Mbit/s and kB, or `no`.
    private static func policer(_ value: String, in text: String) throws(LabError) -> Policer? {
        if value == "no" { return nil }
        let parts = value.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            throw .badSpec(text: text, reason: "a policer is RATE/BUCKET, in Mbit/s and kB, or 'no'")
        }
        return Policer(
            rate: try megabits(parts[0], in: text),
            burst: try kilobytes(parts[1].hasSuffix("kB") ? String(parts[1].dropLast(2)) : parts[1], in: text)
        )
    }

    /// Two times in ms, the second one longer, or `no`.
    private static func recurrence(_ value: String, in text: String) throws(LabError) -> Recurrence? {
        if value == "no" { return nil }
        let parts = value.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            throw .badSpec(text: text, reason: "write LENGTH/PERIOD, both in ms, or 'no'")
        }
        let (length, period) = (try milliseconds(parts[0], in: text), try milliseconds(parts[1], in: text))
        guard length > 0 && length < period else {
            throw .badSpec(text: text, reason: "LENGTH is more than 0 and less than PERIOD")
        }
        return Recurrence(length: length, every: period)
    }

    /// One or two times in ms, or `no`.
    private static func range(_ value: String, in text: String) throws(LabError) -> ClosedRange<UInt64>? {
        if value == "no" { return nil }
        let parts = value.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        let least = try milliseconds(parts[0], in: text)
        let most = parts.count == 2 ? try milliseconds(parts[1], in: text) : least
        guard parts.count <= 2 && most > 0 && least <= most else {
            throw .badSpec(text: text, reason: "grants are LEAST-MOST, in ms, or 'no'")
        }
        return least...most
    }
}

extension RateTrace {
    /// `FILE[:COLUMN][*SCALE]`: with a column a CSV file with a line per second, without one a Mahimahi file.
    /// `text` is the whole option, for the error. Throws `badSpec`.
    init(argument: String, in text: String) throws(LabError) {
        let scaled = argument.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
        let parts = scaled[0].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let scale = scaled.count == 2 ? LinkShape.number(scaled[1]) : 1
        guard scaled.count <= 2, parts.count <= 2, !parts[0].isEmpty, let scale,
            (0.001...1000).contains(scale)
        else {
            throw .badSpec(
                text: text,
                reason: "a trace is FILE for a Mahimahi file, FILE:COLUMN for CSV, and *SCALE after it")
        }
        let contents = try TraceFile.text(of: parts[0], in: text)
        do throws(TraceError) {
            let trace =
                parts.count == 2
                ? try RateTrace(csv: contents, column: parts[1]) : try RateTrace(mahimahi: contents)
            self = scale == 1 ? trace : trace.scaled(by: scale)
        } catch {
            throw .badSpec(text: text, reason: "in \(parts[0]), \(error)")
        }
    }
}
