import Lab
import Testing

/// Real daemons, real packets, emulated links. Serialized, as they measure time.
@Suite(
    "End to end", .serialized,
    .enabled(
        if: Lab.privilege() == .root,
        "needs root, or 'scripts/as-root swift test', and /dev/net/tun"),
    .timeLimit(.minutes(1)))
enum EndToEndTests {}
