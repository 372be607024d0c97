// swift-tools-version: 6.2
import Glibc
import PackageDescription

// OpenSSL 3 seals and opens bulk data where it is faster than libsodium. Without its headers, or with BONDD_NO_LIBCRYPTO=1 in
// the environment, it is left out and libsodium does everything. (SwiftPM caches the result of this file: after installing the
// headers, build once with --manifest-cache none.)
let hasLibcrypto =
    Context.environment["BONDD_NO_LIBCRYPTO"] != "1"
    // A header that came with OpenSSL 3.
    && ["/usr/include", "/usr/local/include"].contains { access("\($0)/openssl/core_names.h", R_OK) == 0 }

// Imports point down only; scripts/check-imports lists the permitted ones.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error)
]
// The core is optimized in debug builds, too, with its assertions: its tests simulate hours of traffic, and take a third of
// the time this way.
let core =
    strict + [.unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug))]

let package = Package(
    name: "bondd",
    products: [
        .executable(name: "bondd", targets: ["bondd"]),
        .executable(name: "bondd-control", targets: ["bondd-control"]),
        .executable(name: "bondlab", targets: ["bondlab"]),
    ],
    // Patch releases alone come by themselves: a newer minor version is a change of its own, which the tests see.
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", .upToNextMinor(from: "1.8.2")),
        // For bondd-control only: its state, and its HTTP server without unused parts.
        .package(url: "https://github.com/groue/GRDB.swift", .upToNextMinor(from: "7.10.0")),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", .upToNextMinor(from: "2.28.1"),
            traits: []),
        .package(url: "https://github.com/apple/swift-nio", .upToNextMinor(from: "2.101.2")),
        .package(url: "https://github.com/apple/swift-nio-extras", .upToNextMinor(from: "1.35.2")),
        .package(url: "https://github.com/apple/swift-http-types", .upToNextMinor(from: "1.8.0")),
        .package(url: "https://github.com/apple/swift-log", .upToNextMinor(from: "1.16.2")),
        // The client of a Portunus control plane: gRPC over HTTP/2 and TLS, without the parts that need all of Foundation.
        .package(url: "https://github.com/grpc/grpc-swift-2", .upToNextMinor(from: "2.4.3")),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", .upToNextMinor(from: "2.9.2")),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", .upToNextMinor(from: "2.4.1")),
        .package(url: "https://github.com/apple/swift-protobuf", .upToNextMinor(from: "1.39.0"), traits: []),
        .package(url: "https://github.com/apple/swift-nio-ssl", .upToNextMinor(from: "2.37.6")),
        .package(url: "https://github.com/apple/swift-crypto", .upToNextMinor(from: "4.5.2")),
    ],
    targets: [
        // The bridges to C. Each is one header of declarations or thin inline wrappers.
        .systemLibrary(
            name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(
            name: "CNetlink", pkgConfig: "libnl-route-3.0",
            providers: [
                .apt([
                    "libnl-3-dev", "libnl-route-3-dev", "libmnl-dev", "libnftnl-dev",
                    "libnetfilter-conntrack-dev",
                ])
            ]),
        .systemLibrary(
            name: "CQrencode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(
            name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .target(name: "CLinux"),
        // The lab's alone.
        .target(name: "CLab"),
        .target(name: "CToml"),
        // CCrypto, the bridge to libcrypto, is added at the end.

        // The sans-IO core: no socket, no clock, no randomness of its own, no Foundation.
        .target(name: "Packet", swiftSettings: core),
        .target(
            name: "Proto", dependencies: ["CSodium", "Packet"] + (hasLibcrypto ? ["CCrypto"] : []),
            swiftSettings: core),
        .target(name: "Scheduler", dependencies: ["Proto", "Packet"], swiftSettings: core),
        .target(name: "Reorder", dependencies: ["Packet"], swiftSettings: core),
        .target(name: "FEC", dependencies: ["Packet"], swiftSettings: core),
        .target(
            name: "Engine", dependencies: ["Proto", "Scheduler", "Reorder", "FEC", "Packet"],
            swiftSettings: core),

        // What touches the host. Runtime: threads, waiting, clocks, log and state files.
        .target(name: "Runtime", dependencies: ["CLinux"], swiftSettings: strict),
        .target(name: "Tun", dependencies: ["CLinux", "Packet"], swiftSettings: strict),
        .target(name: "Transport", dependencies: ["CLinux", "Packet"], swiftSettings: strict),
        .target(
            name: "ControlProtocol", dependencies: ["Runtime", "CLinux", "Proto", "Packet"],
            swiftSettings: strict),
        .target(
            name: "Settings", dependencies: ["Runtime", "CToml", "Rules", "Proto", "Packet"],
            swiftSettings: strict),
        .target(
            name: "Host", dependencies: ["Runtime", "CNetlink", "CLinux", "Proto", "Packet", "Settings"],
            swiftSettings: strict),
        // Common parts of the command lines of bondd and bondd-control.
        .target(
            name: "Commands",
            dependencies: [
                "ControlProtocol", "Settings", "Proto", "Runtime",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        // The daemon that bondd runs as a client or a server; its command line is next.
        .target(
            name: "Daemon",
            dependencies: [
                "Engine", "Tun", "Transport", "Host", "Settings", "ControlProtocol", "Rules", "Proto",
                "Scheduler",
                "Packet", "Runtime", "CLinux",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "bondd",
            dependencies: [
                "Daemon", "Commands",
                "Engine", "Scheduler", "Tun", "Transport", "Host", "Settings", "ControlProtocol", "Rules",
                "Proto",
                "Packet", "Runtime", "CLinux",
                "CQrencode",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // Services behind the tunnel: the rules, without sockets or a clock; their relay in user space; their control plane.
        .target(name: "Rules", dependencies: ["Packet"], swiftSettings: strict),
        .target(
            name: "Relay", dependencies: ["Rules", "Transport", "Runtime", "CLinux", "CAres", "Packet"],
            swiftSettings: strict),
        .target(
            name: "Portunus",
            dependencies: [
                "Rules", "Settings", "Runtime", "Packet",
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
                .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            exclude: ["Generated/portunus.proto"],
            swiftSettings: strict),

        // The second program, without privileges: state, invitations, health, services.
        .target(
            name: "Control",
            dependencies: [
                "Relay", "Portunus", "Rules", "ControlProtocol", "Settings", "Proto", "Packet", "Runtime",
                "CLinux",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "bondd-control",
            dependencies: [
                "Commands", "Control", "ControlProtocol", "Settings", "Proto", "Runtime", "CLinux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // Emulated links for tests, benchmarks and the demo.
        .target(name: "LinkModel", swiftSettings: core),
        .target(
            name: "Lab", dependencies: ["Runtime", "CLab", "CLinux", "LinkModel"], swiftSettings: strict),
        // The same links in virtual time, between two Engines.
        .target(
            name: "Simulation", dependencies: ["Engine", "Proto", "Scheduler", "Packet", "LinkModel"],
            swiftSettings: core),
        // A client that lies, only for tests and the lab.
        .target(name: "Hostile", dependencies: ["Proto", "Packet", "LinkModel"], swiftSettings: core),
        .executableTarget(
            name: "bondlab",
            dependencies: [
                "Relay", "Hostile", "Lab", "LinkModel", "ControlProtocol", "Packet", "Proto", "Rules",
                "Simulation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // The entry points of external input, for libFuzzer (below) and for the tests, which replay its corpora.
        .target(
            name: "FuzzInputs",
            dependencies: [
                "Engine", "ControlProtocol", "Packet", "Proto", "Rules", "Scheduler", "Settings", "Tun",
            ],
            path: "Fuzz/Inputs", swiftSettings: strict),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzInputs", "LinkModel"]),

        .target(name: "CAllocations", path: "Tests/CAllocations"),
        .testTarget(name: "PacketTests", dependencies: ["Packet", "LinkModel", "TestSupport"]),
        .testTarget(name: "ProtoTests", dependencies: ["Proto", "Packet", "CSodium"]),
        .testTarget(
            name: "SchedulerTests", dependencies: ["Scheduler", "Packet", "LinkModel", "TestSupport"]),
        .testTarget(
            name: "ReorderTests", dependencies: ["Reorder", "Packet", "LinkModel", "TestSupport"]),
        .testTarget(name: "FECTests", dependencies: ["FEC", "LinkModel", "Packet"]),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "Engine", "Proto", "Reorder", "Scheduler", "FEC", "Packet", "Hostile", "Lab", "LinkModel",
                "CAllocations",
            ]),
        .testTarget(
            name: "SimulationTests", dependencies: ["Simulation", "Packet", "LinkModel"]),
        .testTarget(name: "TunTests", dependencies: ["Tun", "Lab", "LinkModel", "Packet", "TestSupport"]),
        .testTarget(
            name: "TransportTests", dependencies: ["Transport", "Runtime", "Lab", "Packet", "TestSupport"]),
        // What tests of several modules need.
        .target(
            name: "TestSupport", dependencies: ["CLinux", "LinkModel"], path: "Tests/Support",
            swiftSettings: strict),
        .testTarget(name: "ControlProtocolTests", dependencies: ["ControlProtocol", "TestSupport"]),
        .testTarget(name: "RuntimeTests", dependencies: ["Runtime", "TestSupport"]),
        .testTarget(
            name: "SettingsTests",
            dependencies: ["Settings", "Rules", "Proto", "Packet", "Runtime", "TestSupport"]),
        .testTarget(
            name: "HostTests",
            dependencies: ["Host", "Settings", "Lab", "Proto", "Packet", "Runtime", "TestSupport", "CLinux"]),
        .testTarget(
            name: "ControlTests",
            dependencies: [
                "Control", "ControlProtocol", "Settings", "Proto", "Packet", "Lab", "Runtime", "TestSupport",
                "bondd-control",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        .testTarget(
            name: "PortunusTests",
            dependencies: ["Portunus", "Control", "Rules", "Settings", "Runtime", "TestSupport"],
            exclude: ["Conformance"]),
        .testTarget(name: "RulesTests", dependencies: ["Rules", "Packet", "LinkModel", "TestSupport"]),
        .testTarget(
            name: "RelayTests",
            dependencies: ["Relay", "Rules", "Transport", "Runtime", "CLinux", "Packet", "TestSupport"]),
        .testTarget(name: "LabTests", dependencies: ["Lab", "LinkModel", "Runtime"]),
        .testTarget(name: "BondlabTests", dependencies: ["bondlab"]),
        .testTarget(
            name: "BonddTests",
            dependencies: ["bondd", "Host", "Engine", "ControlProtocol", "Packet", "TestSupport", "Settings"]),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "Daemon", "Host", "Engine", "ControlProtocol", "Rules", "Proto", "Packet", "Runtime",
                "TestSupport",
                "Settings",
            ]),
        .testTarget(
            name: "EndToEndTests", dependencies: ["Lab", "ControlProtocol", "Engine", "Proto", "Packet"],
            exclude: ["Services/Visits"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

if hasLibcrypto {
    package.targets.append(.target(name: "CCrypto", linkerSettings: [.linkedLibrary("crypto")]))
}

// Links only with --sanitize=fuzzer, which provides the main function: see make fuzz.
if Context.environment["BONDD_FUZZ"] == "1" {
    package.targets.append(
        .executableTarget(
            name: "Fuzz", dependencies: ["FuzzInputs"], path: "Fuzz/Fuzz", swiftSettings: strict))
}
