import FoundationEssentials

/// A recording of a link's capacity, as a file.
enum TraceFile {
    /// The file's text; `option` is the option that names it, for the error. Throws `badSpec`.
    static func text(of path: String, in option: String) throws(LabError) -> String {
        guard let data = try? Data(contentsOf: URL(filePath: path)), data.count <= 64 << 20 else {
            throw .badSpec(text: option, reason: "\(path) cannot be read, or has more than 64 MB")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
