import Runtime

/// Sentences for the status about one concern. Each is logged once for as long as it holds.
struct Notices {
    private(set) var list: [String] = []

    /// Makes these the ones that hold, and logs those that are new.
    mutating func replace(with sentences: [String], _ log: Log, level: Log.Level = .warning) {
        for sentence in sentences where !list.contains(sentence) { log(level, sentence) }
        list = sentences
    }

    /// Makes this the only one that holds; none if it is nil.
    mutating func replace(with sentence: String?, _ log: Log, level: Log.Level = .warning) {
        replace(with: [sentence].compactMap(\.self), log, level: level)
    }
}
