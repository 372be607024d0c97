import Glibc

/// A program that forwards ports of a gateway to a host behind it.
public enum Forwarder: String, CaseIterable, Sendable {
    /// bondd's relay, in a process of its own.
    case bondd
    /// HAProxy (Debian), with one thread, and splice where it sees fit.
    case haproxy
    /// socat (Debian), with a process for each connection.
    case socat

    /// The forwarders installed on this machine.
    public static var installed: [Forwarder] {
        allCases.filter { forwarder in
            forwarder == .bondd
                || ["/usr/bin", "/usr/sbin"].contains { access("\($0)/\(forwarder.rawValue)", X_OK) == 0 }
        }
    }

    /// Starts it in the gateway's namespace, and waits until it is listening.
    /// - Parameters:
    ///   - ports: TCP ports, each forwarded to the same port of the host.
    ///   - rules: for `bondd`, further rules of `bondlab forward`; HOST in them stands for the host's address.
    /// Throws `missingProgram`, `noProgram`, `system`, `deadline` or `failed`.
    public func start(
        on course: ServiceCourse, ports: [UInt16], rules: [String] = []
    ) throws(LabError) -> Child {
        let child = try course.gateway.spawn(try command(course, ports, rules))
        for port in ports {
            for _ in 0..<1000 where !course.gateway.isListening(port: port) && child.isRunning {
                usleep(5000)
            }
        }
        if let status = child.status {
            throw .failed(command: child.command, status: status, errors: child.errors)
        }
        if self == .bondd { try child.waitForOutput("ready", seconds: 10) }
        return child
    }

    private func command(
        _ course: ServiceCourse, _ ports: [UInt16], _ rules: [String]
    ) throws(LabError) -> [String] {
        switch self {
        case .bondd:
            let plain = ports.map { "tcp:\($0)=\(course.hostAddress):\($0)" }
            let others = rules.map { rule in
                rule.split(separator: "=").map {
                    $0.hasPrefix("HOST:") ? course.hostAddress + $0.dropFirst(4) : $0
                }
                .joined(separator: "=")
            }
            return [try Program("bondlab").path, "forward"] + plain + others
        case .haproxy:
            return [
                "haproxy", "-db", "-f",
                try course.scratch.write(Self.configuration(course, ports), to: "haproxy.cfg"),
            ]
        case .socat:
            guard ports.count == 1 else { return [] }
            return [
                "socat", "TCP-LISTEN:\(ports[0]),fork,reuseaddr,backlog=4096",
                "TCP:\(course.hostAddress):\(ports[0])",
            ]
        }
    }

    private static func configuration(_ course: ServiceCourse, _ ports: [UInt16]) -> String {
        let services = ports.map {
            "listen p\($0)\n  bind :\($0)\n  server host \(course.hostAddress):\($0)\n"
        }
        return """
            global
              nbthread 1
              maxconn \(min(Descriptors.connections, 20_000))
              maxpipes 100
            defaults
              mode tcp
              backlog 8192
              option splice-auto
              timeout connect 5s
              timeout client 1h
              timeout server 1h
            \(services.joined())
            """
    }
}
