import ControlProtocol
import Testing

@testable import bondd

/// The output of `bondd services`.
@Suite struct ServiceTableTests {
    static let plane = PlaneStatus(state: "connected", endpoint: "192.0.2.1:7443")

    static let web = ServiceStatus(
        rule: "web", source: "file", transport: "tcp", ports: "8443",
        targets: [ServiceTargetStatus(address: "10.77.0.2:443")], state: "active", way: "kernel",
        connections: 12, bytesIn: 1_200_000, bytesOut: 45_600_000_000)

    static let shop = ServiceStatus(
        rule: "18446744073709551615", source: "portunus", transport: "tcp", ports: "443",
        serverName: "*.shop.example.org",
        targets: (2...9).map { ServiceTargetStatus(address: "[fd77::\($0)]:8443", isHealthy: $0 != 3) },
        state: "active", way: "userspace", wayReason: "server names", owner: "ann", connections: 100_000,
        bytesIn: 999_900_000_000, bytesOut: 999_900_000_000)

    static let game = ServiceStatus(
        rule: "game", source: "file", transport: "udp", ports: "27015-27030",
        targets: [ServiceTargetStatus(address: "10.77.0.3:27015")], state: "failed",
        reason:
            "[[rule]] game is not carried: udp port 27016 is in use by another program or rule (ss -lnp lists programs, bondd services lists rules); free it or choose another",
        way: "userspace")

    /// Names and texts from a control plane cannot control the terminal.
    @Test func namesDoNotSteerTheTerminal() {
        let bad = "x\u{1B}]0;title\u{7}\u{9B}2J\u{202E}\u{200F}\r\n"
        let service = ServiceStatus(
            rule: "1", source: "portunus", transport: "tcp", ports: "80", serverName: bad,
            targets: [ServiceTargetStatus(address: bad)], state: "failed", reason: bad, way: "userspace",
            owner: bad)
        let text = ServiceTable([service], PlaneStatus(state: "connecting", endpoint: bad, problem: bad)).text
        #expect(
            text.unicodeScalars.allSatisfy { scalar in
                scalar == "\n" || ![.control, .format].contains(scalar.properties.generalCategory)
            })
        #expect(text.contains("x?]0;title??2J??"))
    }

    @Test func itReadsWell() {
        #expect(
            ServiceTable([Self.web, Self.game], Self.plane).text == """
                control plane 192.0.2.1:7443: connected

                  rule  listen           state   way     open     in     out
                  web   tcp 8443         active  kernel    12 1.2 MB 45.6 GB
                      to 10.77.0.2:443
                  game  udp 27015-27030  failed  -          0    0 B     0 B
                      to 10.77.0.3:27015
                      [[rule]] game is not carried: udp port 27016 is in use by another program
                      or rule (ss -lnp lists programs, bondd services lists rules); free it or
                      choose another

                """)
    }

    @Test func itFitsIntoEightyColumns() {
        var plane = Self.plane
        plane.state = "wrong_certificate"
        plane.problem = String(repeating: "something is wrong ", count: 20)
        let text = ServiceTable([Self.web, Self.shop, Self.game], plane).text
        for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        #expect(text.contains("(down)") && text.contains("userspace:"))
        #expect(text.contains("\n  1844674407370…  tcp 443 "))
        #expect(text.contains("for *.shop.example.org, 18446744073709551615 to "))
        #expect(text.hasPrefix("control plane 192.0.2.1:7443: wrong certificate\n  something"))
    }

    @Test func nothingIsAlsoSomething() {
        let text = ServiceTable([], PlaneStatus()).text
        #expect(text.hasPrefix("control plane: off\n") && text.contains("bondd portunus enroll URI"))
    }
}
