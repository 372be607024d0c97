import Glibc

extension Namespace {
    /// The bytes of packets received by an interface; nil if there is none of this name.
    public func receivedBytes(_ interface: String) -> Int? { column(0, interface) }
    /// The packets received by an interface; nil if there is none of this name.
    public func receivedPackets(_ interface: String) -> Int? { column(1, interface) }

    /// A figure of /proc/net/dev, from 0.
    private func column(_ index: Int, _ interface: String) -> Int? {
        inside {
            guard let file = fopen("/proc/thread-self/net/dev", "re") else { return nil }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 512)
            while fgets(&line, Int32(line.count), file) != nil {
                let bytes = line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
                let words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == ":" }
                if words.count > index + 1, words[0] == interface { return Int(words[index + 1]) }
            }
            return nil
        }
    }
}
