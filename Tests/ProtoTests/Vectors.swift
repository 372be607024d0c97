/// Reads test vectors: lines of a label and hex, a line without label continues the one before, an empty line ends a
/// vector.
enum Vectors {
    static func parse(_ text: String) -> [[String: [UInt8]]] {
        var vectors: [[String: [UInt8]]] = [[:]]
        var label = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(separator: " ")
            guard let first = words.first else {
                vectors.append([:])
                continue
            }
            let isContinuation = line.first == " "
            if !isContinuation { label = String(first) }
            let bytes = words.dropFirst(isContinuation ? 0 : 1).flatMap { hex(String($0)) }
            vectors[vectors.count - 1][label, default: []] += bytes
        }
        return vectors
    }
}

/// The bytes of a hexadecimal `text`; spaces and line ends are ignored.
func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }.compactMap { $0.hexDigitValue }
    precondition(digits.count % 2 == 0)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// The inverse, for messages of failed expectations.
func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
