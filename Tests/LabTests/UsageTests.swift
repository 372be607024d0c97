import Glibc
import Testing

@testable import Lab

@Suite("What processes use") struct UsageTests {
    @Test func theMedianIsInTheMiddle() {
        #expect([3.0, 1, 2].median == 2)
        #expect([4.0, 1, 2, 3].median == 2.5)
        #expect([Double]().median == nil)
    }

    @Test func memoryIsReadFromStatus() {
        let status = "Name:\tbondd\nVmHWM:\t   12345 kB\nVmRSS:\t    1000 kB\nThreads:\t1\n"
        #expect(Child.bytes(of: "VmRSS", in: status) == 1_024_000)
        #expect(Child.bytes(of: "VmHWM", in: status) == 12_345 * 1024)
        #expect(Child.bytes(of: "VmSwap", in: status) == nil && Child.bytes(of: "Threads", in: status) == nil)
    }

    @Test func aBusyChildUsesTimeAndAnEndedOneHasNone() throws {
        let child = try Child(["sh", "-c", "while :; do :; done"])
        let before = try #require(child.cpuSecondsSoFar)
        usleep(200_000)
        #expect(try #require(child.cpuSecondsSoFar) > before)
        let memory = try #require(child.residentMemory)
        let peak = try #require(child.peakMemorySoFar)
        #expect(memory > 100_000 && memory <= peak)
        child.kill()
        #expect(child.cpuSecondsSoFar == nil && child.residentMemory == nil)
    }

    /// RFC 7748, section 6.1: Alice's public key.
    @Test func keysAreHexadecimalForWireGuard() {
        let digits = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
        #expect(
            WireGuardTunnel.hexadecimal("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n") == digits)
        #expect(WireGuardTunnel.hexadecimal("c2hvcnQ=") == nil && WireGuardTunnel.hexadecimal("?") == nil)
    }
}
