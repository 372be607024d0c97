import Rules
import Runtime
import Settings
import Testing

@testable import Portunus

/// Bytes that are almost messages.
struct NonsenseTests {
    /// Whatever arrives, a session handles it, and answers each push or removal once.
    @Test func anythingIsTakenIn() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var generator = Seeded(seed)
        let samples: [[UInt8]] = try Self.samples.map { try $0.serializedBytes() }
        let keeper = Recorder()
        let session = Session(
            keeper: keeper, log: Log(level: .error, fileDescriptor: -1), version: "1.0.0",
            patience: .seconds(1))
        let reader = ServerMessages()
        var expected = 0
        for _ in 0..<20000 {
            var bytes = samples.randomElement(using: &generator)!
            for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[at] = .random(in: .min ... .max, using: &generator)
                case 1: bytes.removeLast(bytes.count - at)
                default: bytes.insert(.random(in: .min ... .max, using: &generator), at: at)
                }
            }
            let message = try reader.deserialize(bytes)
            let update = message.ruleUpdate
            if update.hasRule && [.push, .remove].contains(update.action) { expected += 1 }
            await session.receive(message)
        }
        await session.reconcile()
        session.close()
        var answers = -1  // Hello
        for await _ in session.outgoing { answers += 1 }
        #expect(answers == expected && expected > 1000)
        #expect(keeper.pushes.count > 500 && keeper.kept.count == 1)
    }

    private static let samples: [Portunus_V1_ServerMessage] = [
        .with {
            $0.welcome = .with {
                $0.serverVersion = "3.1.0"
                $0.udpFlowIdleSecs = 60
                $0.udpMaxFlowsPerRule = 1024
            }
        },
        .with {
            $0.ruleUpdate = .with {
                $0.requestID = "r"
                $0.action = .push
                $0.rule = .with {
                    ($0.ruleID, $0.listenPort, $0.listenPortEnd) = (1, 8000, 8003)
                    ($0.targetHost, $0.targetPort, $0.targetPortEnd) = ("h", 80, 83)
                    $0.rateLimit = .with { $0.bandwidthInBps = 5 }
                }
            }
        },
        .with {
            $0.ruleUpdate = .with {
                $0.requestID = "r"
                $0.action = .remove
                $0.rule = .with { $0.ruleID = 1 }
            }
        },
        .with {
            $0.ownerRateLimitUpdate = .with {
                $0.ownerID = "o"
                $0.action = .set
                $0.rateLimit = .with { $0.concurrentConnections = 5 }
            }
        },
        .with {
            $0.trafficQuotaUpdate = .with {
                $0.userID = "o"
                $0.action = .set
                $0.state = .with {
                    ($0.monthlyBytes, $0.periodStartedAtUnixSec, $0.periodEndsAtUnixSec) = (1, 2, 3)
                }
            }
        },
    ]
}
