import CLinux
import Glibc

/// An anonymous file in memory for a child's input or output. Unlike a pipe it needs no reader to keep it from
/// filling up, and can be read while the child is still writing.
final class MemoryFile: Sendable {
    let fd: Int32

    init(_ contents: String = "") throws(LabError) {
        fd = lab_memfd("lab")
        guard fd >= 0 else { throw .system(call: "memfd_create", errno: -fd) }
        var text = contents
        let written = text.withUTF8 { bytes in pwrite(fd, bytes.baseAddress, bytes.count, 0) }
        guard written == contents.utf8.count else {
            throw .system(call: "write to memory file", errno: errno)
        }
    }

    deinit { close(fd) }

    /// The whole contents of the file.
    var text: String {
        var status = stat()
        guard fstat(fd, &status) == 0, status.st_size > 0 else { return "" }
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
            count = max(pread(fd, buffer.baseAddress, buffer.count, 0), 0)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
