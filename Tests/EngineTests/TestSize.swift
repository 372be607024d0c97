import Glibc

/// The number of packets in the large tests: `BONDD_TEST_PACKETS`, or a million, or a tenth of that in debug
/// builds.
enum TestSize {
    static let packets: Int = {
        if let text = getenv("BONDD_TEST_PACKETS"), let count = Int(String(cString: text)), count > 0 {
            return count
        }
        #if DEBUG
            return 100_000
        #else
            return 1_000_000
        #endif
    }()
}
