import Runtime

/// Sentences for the status about one concern. Each is logged once for as long as it holds.
struct Notices {
    private(set) var list: [String] = []

    /// Makes these the ones that hold, and logs those that are new.
    mutating func replace(with sentences: [String], _ log: Log) {
        for sentence in sentences where !list.contains(sentence) { log(.warning, sentence) }
        list = sentences
    }

    /// Makes this the one that holds, or none when it is nil.
    mutating func replace(with sentence: String?, _ log: Log) {
        replace(with: [sentence].compactMap(\.self), log)
    }
}
