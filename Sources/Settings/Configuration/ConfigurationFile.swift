import Proto

/// A configuration's text as it was read, with the digest by which bondd and bondd-control tell each other which one they mean.
public struct ConfigurationFile: Hashable, Sendable {
    /// The file as it was named.
    public let path: String
    /// What it says.
    public let text: String
    /// 32 hexadecimal digits that follow from the text.
    public let digest: String

    /// The text `text` of the file `path`.
    public init(_ text: String, path: String) {
        self.path = path
        self.text = text
        digest = Digest(of: Array(text.utf8)).description
    }

    /// Reads the file at `path`.
    /// - Throws: `ConfigurationError` when it can't be read.
    public init(reading path: String) throws(ConfigurationError) {
        do throws(TextFile.Failure) {
            self.init(try TextFile.read(path, limit: Configuration.maximumFile), path: path)
        } catch {
            throw ConfigurationError(file: path, line: nil, problem: error.sentence)
        }
    }

    /// Checks the text.
    /// - Throws: `ConfigurationError` with the first thing that is wrong.
    public func configuration(
        keys: Configuration.Keys = .read
    ) throws(ConfigurationError) -> Configuration {
        try Configuration(text: text, file: path, keys: keys)
    }
}
