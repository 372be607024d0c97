extension IPAddress: CustomStringConvertible, LosslessStringConvertible {
    /// Dotted quad, or RFC 5952's canonical text for IPv6.
    public var description: String {
        if family == .v4 {
            return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)"
        }
        let groups = (0..<8).map { i in
            UInt16(truncatingIfNeeded: (i < 4 ? high : low) >> UInt64(48 - i % 4 * 16))
        }
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8 && groups[end] == 0 { end += 1 }
            if end - start > best.count && end - start > 1 { best = start..<end }
            start = max(end, start + 1)
        }
        let hex = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
        if best.isEmpty { return hex(groups[...]) }
        return hex(groups[..<best.lowerBound]) + "::" + hex(groups[best.upperBound...])
    }

    /// Parses a dotted quad or an IPv6 address without zone; nil if `text` has neither form.
    public init?(_ text: String) {
        if text.contains(":") { self.init(v6Text: text) } else { self.init(v4Text: text) }
    }

    private init?(v4Text text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                let octet = UInt8(part), part.utf8.count == 1 || part.utf8.first != 48
            else { return nil }
            bits = bits << 8 | UInt32(octet)
        }
        self.init(v4: bits)
    }

    private init?(v6Text text: String) {
        var text = text
        // An embedded dotted quad is the last two groups (RFC 4291 2.2).
        if let colon = text.lastIndex(of: ":"), text[colon...].contains(".") {
            guard let v4 = IPAddress(v4Text: String(text[text.index(after: colon)...])) else { return nil }
            text =
                text[...colon] + String(v4.low >> 16, radix: 16) + ":" + String(v4.low & 0xFFFF, radix: 16)
        }
        func groups(_ part: Substring) -> [UInt16]? {
            if part.isEmpty { return [] }
            var result: [UInt16] = []
            for group in part.split(separator: ":", omittingEmptySubsequences: false) {
                guard (1...4).contains(group.utf8.count), group.first != "+", group.first != "-",
                    let value = UInt16(group, radix: 16)
                else { return nil }
                result.append(value)
            }
            return result
        }
        var all: [UInt16]
        if let gap = text.firstDoubleColon {
            guard let head = groups(text[..<gap]), let tail = groups(text[text.index(gap, offsetBy: 2)...]),
                head.count + tail.count <= 7
            else { return nil }
            all = head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
        } else {
            guard let whole = groups(text[...]), whole.count == 8 else { return nil }
            all = whole
        }
        let half = { (part: ArraySlice<UInt16>) in part.reduce(UInt64(0)) { $0 << 16 | UInt64($1) } }
        self.init(v6High: half(all[..<4]), low: half(all[4...]))
    }
}

extension String {
    fileprivate var firstDoubleColon: Index? {
        var previous: Index?
        for index in indices where self[index] == ":" {
            if let previous, self.index(after: previous) == index { return previous }
            previous = index
        }
        return nil
    }
}
