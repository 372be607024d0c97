import Glibc

/// The real bondd-control, as built next to these tests.
enum Program {
    static var path: String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = max(0, readlink("/proc/self/exe", &bytes, bytes.count))
        let own = String(decoding: bytes[..<count], as: UTF8.self)
        // Tests are either loaded by the toolchain's test runner or are a program of their own.
        let directory = own.hasSuffix(".xctest") ? String(own[...own.lastIndex(of: "/")!]) : ".build/debug/"
        return directory + "bondd-control"
    }
}
