import Glibc

/// The inputs since the last reset, in a file that outlives a crash: for each its length in 4 bytes, and its bytes.
struct History {
    private static let size = 32 << 20
    private let memory: UnsafeMutableRawBufferPointer
    private var used = 0

    /// Writes to a file of that name in the current directory.
    init?(_ path: String) {
        let file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0, ftruncate(file, Self.size) == 0,
            let start = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), start != MAP_FAILED
        else { return nil }
        close(file)
        memory = UnsafeMutableRawBufferPointer(start: start, count: Self.size)
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard used + 8 + bytes.count <= memory.count else { return }
        memory.storeBytes(of: UInt32(bytes.count), toByteOffset: used, as: UInt32.self)
        UnsafeMutableRawBufferPointer(rebasing: memory[(used + 4)...]).copyMemory(from: bytes)
        used += 4 + bytes.count
        // The end.
        memory.storeBytes(of: UInt32.max, toByteOffset: used, as: UInt32.self)
    }

    mutating func clear() { used = 0 }

    /// The inputs in the file at `path`.
    static func inputs(in path: String) -> [[UInt8]] {
        guard let file = fopen(path, "re") else { return [] }
        defer { fclose(file) }
        var inputs: [[UInt8]] = []
        var length = UInt32(0)
        while fread(&length, 4, 1, file) == 1, length != .max, Int(length) <= size {
            var bytes = [UInt8](repeating: 0, count: Int(length))
            guard fread(&bytes, 1, bytes.count, file) == bytes.count else { break }
            inputs.append(bytes)
        }
        return inputs
    }
}
