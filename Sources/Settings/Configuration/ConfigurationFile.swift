import Proto
import Runtime

/// The text of a configuration file, with a digest by which bondd and bondd-control identify it.
package struct ConfigurationFile: Hashable, Sendable {
    /// The file's path as the user gave it.
    package let path: String
    /// The contents.
    package let text: String
    /// The digest of the text, 32 hexadecimal digits.
    package let digest: String

    /// A configuration with the contents `text`, named `path` in errors.
    package init(_ text: String, path: String) {
        self.path = path
        self.text = text
        digest = Digest(of: Array(text.utf8)).description
    }

    /// Reads the file at `path`.
    /// - Throws: `ConfigurationError` if it cannot be read.
    package init(reading path: String) throws(ConfigurationError) {
        do throws(TextFile.Failure) {
            self.init(try TextFile.read(path, limit: Configuration.maximumFile), path: path)
        } catch {
            throw ConfigurationError(file: path, line: nil, problem: error.sentence)
        }
    }

    /// Parses and checks the text.
    /// - Throws: `ConfigurationError` for the first problem found.
    package func configuration(
        keys: Configuration.Keys = .read
    ) throws(ConfigurationError) -> Configuration {
        try Configuration(text: text, file: path, keys: keys)
    }
}
