import Proto
import Runtime

/// The text of a configuration file, with the digest that identifies it between bondd and bondd-control.
public struct ConfigurationFile: Hashable, Sendable {
    /// The file as it was named.
    public let path: String
    /// Its contents.
    public let text: String
    /// The text's digest, 32 hexadecimal digits.
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
