import Packet
import Testing

@testable import Simulation

@Suite("CUBIC") struct CubicTests {
    @Test func cubeRootsAreExactToTheLastBits() {
        for root in [0.001, 0.5, 1, 1.7, 10, 123.456, 1e4] {
            #expect(abs(cubeRoot(root * root * root) - root) <= root * 1e-14)
        }
        #expect(cubeRoot(0) == 0)
    }

    /// RFC 9438: after a loss the window is back at the old maximum W when K = ∛(W·(1 − β)/C) has passed.
    @Test func theOldMaximumComesBackAfterK() {
        var cubic = Cubic()
        var window = cubic.shrink(1000)
        #expect(window == 700)
        let plateau = cubeRoot(1000 * (1 - 717.0 / 1024) / 0.4)
        // A round trip of 100 ms, so that Reno would be slower.
        var now = Instant(nanoseconds: 1_000_000_000)
        let start = now
        var halfway = 0
        while (now - start).seconds < plateau {
            window += cubic.growth(window: window, acked: window, minimumRTT: .milliseconds(100), now: now)
            now = now + .milliseconds(100)
            if halfway == 0 && (now - start).seconds >= plateau / 2 { halfway = window }
        }
        #expect((980...1010).contains(window), "\(window)")
        // Fast first, then flat: after half the time 7/8 of the way are done.
        #expect(halfway > 940, "\(halfway)")
    }

    /// A flow that loses before it was back at its maximum makes room (fast convergence).
    @Test func aSecondLossRemembersLess() {
        var once = Cubic()
        var twice = Cubic()
        _ = once.shrink(700)
        _ = twice.shrink(1000)
        _ = twice.shrink(700)
        func reached(_ cubic: inout Cubic) -> Int {
            var window = 490
            for step in 0..<60 {
                let now = Instant(nanoseconds: UInt64(step + 1) * 100_000_000)
                window += cubic.growth(
                    window: window, acked: window, minimumRTT: .milliseconds(100), now: now)
            }
            return window
        }
        #expect(reached(&twice) < reached(&once))
    }
}
