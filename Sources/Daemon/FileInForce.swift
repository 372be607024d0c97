import ControlProtocol
import Glibc
import Settings

/// The text of the configuration file that is in force, the one that was refused last, and whether the file
/// on the disk differs.
struct FileInForce {
    let path: String
    /// The digest of the text in force; empty if the file changed while bondd was starting.
    private(set) var digest: String
    /// The digest of the text refused last, nil if the file could not be read, and the reason.
    private(set) var refusal: (digest: String?, reason: String)?
    /// A note on the file on the disk, one sentence; nil if it is in force.
    private(set) var notice: String?
    /// The file's metadata at the last look.
    private var seen = Traces()

    /// Metadata that changes with every write.
    private struct Traces: Equatable {
        var inode: ino_t = 0
        var size: off_t = -1
        var seconds = 0
        var nanoseconds = 0
    }

    /// `configuration` was read from the file at `path` just now.
    init(_ path: String, of configuration: Configuration) {
        self.path = path
        let file = try? ConfigurationFile(reading: path)
        let isSame = (try? file?.configuration()) == configuration
        digest = isSame ? file?.digest ?? "" : ""
    }

    /// The text of `file` is in force from here on.
    mutating func take(_ file: ConfigurationFile) {
        digest = file.digest
        refusal = nil
        forget()
    }

    /// A text was refused; `file` is nil when it could not even be read.
    mutating func refuse(_ file: ConfigurationFile?, _ reason: String) {
        refusal = (file?.digest, reason)
        forget()
    }

    /// Compares the file on the disk with the text in force. Reads it only if it was written since the last
    /// look.
    mutating func look() {
        var facts = stat()
        let isThere = stat(path, &facts) == 0
        let traces =
            isThere
            ? Traces(
                inode: facts.st_ino, size: facts.st_size, seconds: facts.st_mtim.tv_sec,
                nanoseconds: facts.st_mtim.tv_nsec) : Traces(size: 0)
        guard traces != seen else { return }
        seen = traces
        notice = sentence
    }

    /// The part of `status`; nil if the digest in force is unknown.
    func status(_ configuration: Configuration) -> ConfigurationStatus? {
        guard !digest.isEmpty else { return nil }
        return ConfigurationStatus(
            digest: digest, addresses: configuration.tunnel.addresses.map(\.description),
            refusedDigest: refusal?.digest, refusal: refusal?.reason)
    }

    private mutating func forget() {
        seen = Traces()
        notice = nil
        look()
    }

    private var sentence: String? {
        let end = "the previous configuration stays in force"
        let file: ConfigurationFile
        do throws(ConfigurationError) {
            file = try ConfigurationFile(reading: path)
        } catch {
            return "the file \(error.description); \(end)"
        }
        if file.digest == digest || digest.isEmpty { return nil }
        if let refusal, refusal.digest == file.digest {
            return "the file \(path) is not in force: \(refusal.reason); \(end)"
        }
        return
            "the file \(path) has changed and is not in force yet; run: systemctl reload bondd, or send it SIGHUP"
    }
}
