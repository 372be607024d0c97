// swift-tools-version: 6.2
import Glibc
import PackageDescription

// OpenSSL 3 seals and opens bulk where it is faster than libsodium. Without its headers, or with BONDD_NO_LIBCRYPTO=1 in
// the environment, it is left out and libsodium does everything. (SwiftPM remembers what this file says: after the headers
// were installed, build once with --manifest-cache none.)
let hasLibcrypto =
    Context.environment["BONDD_NO_LIBCRYPTO"] != "1"
    // A header that came with OpenSSL 3.
    && ["/usr/include", "/usr/local/include"].contains { access("\($0)/openssl/core_names.h", R_OK) == 0 }

// Imports point down only; scripts/check-imports holds the arrows that are allowed.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error)
]

let package = Package(
    name: "bondd",
    products: [
        .executable(name: "bondd", targets: ["bondd"]),
        .executable(name: "bondlab", targets: ["bondlab"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // The doors to C. Each is one header of declarations or thin inline wrappers.
        .systemLibrary(
            name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(
            name: "CNetlink", pkgConfig: "libnl-route-3.0",
            providers: [.apt(["libnl-3-dev", "libnl-route-3-dev"])]),
        .target(name: "CLinux"),
        .target(name: "CToml"),
        // CCrypto, the door to libcrypto, is added at the end.

        // The sans-IO core: no socket, no clock, no randomness of its own, no Foundation.
        .target(name: "Packet", swiftSettings: strict),
        .target(
            name: "Proto", dependencies: ["CSodium", "Packet"] + (hasLibcrypto ? ["CCrypto"] : []),
            swiftSettings: strict),
        .target(name: "Scheduler", dependencies: ["Packet"], swiftSettings: strict),
        .target(name: "Reorder", dependencies: ["Packet"], swiftSettings: strict),
        .target(name: "Coding", dependencies: ["Packet"], swiftSettings: strict),
        .target(
            name: "Engine", dependencies: ["Proto", "Scheduler", "Reorder", "Coding", "Packet"],
            swiftSettings: strict),

        // What touches the host.
        .target(name: "Tun", dependencies: ["CLinux", "Packet"], swiftSettings: strict),
        .target(name: "Transport", dependencies: ["CLinux", "Packet"], swiftSettings: strict),
        .target(name: "Messages", dependencies: ["CLinux"], swiftSettings: strict),
        .target(name: "Settings", dependencies: ["CToml", "Proto", "Packet"], swiftSettings: strict),
        .target(
            name: "Control", dependencies: ["CNetlink", "CLinux", "Proto", "Packet", "Settings"],
            swiftSettings: strict),
        .executableTarget(
            name: "bondd",
            dependencies: [
                "Engine", "Tun", "Transport", "Control", "Settings", "Messages", "Proto", "Packet", "CLinux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // Emulated links for tests, benchmarks and the demo.
        .target(name: "Links", swiftSettings: strict),
        .target(name: "Lab", dependencies: ["CLinux", "Links"], swiftSettings: strict),
        // The same links in virtual time, between two Engines.
        .target(
            name: "Simulation", dependencies: ["Engine", "Proto", "Scheduler", "Packet", "Links"],
            swiftSettings: strict),
        .executableTarget(
            name: "bondlab",
            dependencies: [
                "Lab", "Links", "Messages", "Simulation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        .target(name: "CAllocations", path: "Tests/CAllocations"),
        .testTarget(name: "PacketTests", dependencies: ["Packet"]),
        .testTarget(name: "ProtoTests", dependencies: ["Proto", "Packet", "CSodium"]),
        .testTarget(name: "SchedulerTests", dependencies: ["Scheduler", "Packet"]),
        .testTarget(name: "ReorderTests", dependencies: ["Reorder", "Packet"]),
        .testTarget(name: "CodingTests", dependencies: ["Coding", "Links", "Packet"]),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "Engine", "Proto", "Reorder", "Scheduler", "Coding", "Packet", "Lab", "Links", "CAllocations",
            ]),
        .testTarget(
            name: "SimulationTests", dependencies: ["Simulation", "Packet", "Links"]),
        .testTarget(name: "TunTests", dependencies: ["Tun", "Lab", "Links", "Packet"]),
        .testTarget(name: "TransportTests", dependencies: ["Transport", "Lab", "Packet"]),
        .target(name: "Scratch", path: "Tests/Scratch"),
        .testTarget(name: "MessagesTests", dependencies: ["Messages", "Scratch"]),
        .testTarget(name: "SettingsTests", dependencies: ["Settings", "Proto", "Packet", "Scratch"]),
        .testTarget(
            name: "ControlTests", dependencies: ["Control", "Settings", "Lab", "Proto", "Packet", "Scratch"]),
        .testTarget(name: "LabTests", dependencies: ["Lab", "Links"]),
        .testTarget(name: "BondlabTests", dependencies: ["bondlab"]),
        .testTarget(name: "BonddTests", dependencies: ["bondd", "Messages"]),
        .testTarget(
            name: "EndToEndTests", dependencies: ["Lab", "Messages", "Engine", "Proto", "Packet"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

if hasLibcrypto {
    package.targets.append(.target(name: "CCrypto", linkerSettings: [.linkedLibrary("crypto")]))
}
