import Glibc
import Runtime
import Testing

@Suite struct ClockTests {
    private static let mark = "BONDD_TEST_BOOTTIME"

    /// In a time namespace whose host has been suspended for 1,000,000 s, as far as it can tell.
    @Test func theClockGoesOnWhileTheHostSleeps() throws {
        if getenv(Self.mark) != nil {
            var monotonic = timespec()
            clock_gettime(CLOCK_MONOTONIC, &monotonic)
            let seconds = Clock.boottime / 1_000_000_000
            #expect(seconds >= UInt64(monotonic.tv_sec) + 900_000)
            return
        }
        guard geteuid() == 0, access("/proc/self/ns/time", F_OK) == 0 else { return }
        let runner = try #require(
            realpath("/proc/self/exe", nil).map { path in
                defer { free(path) }
                return String(cString: path)
            })
        let command =
            "\(Self.mark)=1 exec unshare --time --boottime 1000000 --fork '\(runner)' --testing-library swift-testing"
            + " --filter ClockTests >/dev/null 2>&1"
        #expect(system(command) == 0)
    }
}
