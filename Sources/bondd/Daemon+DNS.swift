import Control
import Packet
import Proto
import Settings

// A client's name servers: the file's, or what the server offers, from the first assignment until the end.
extension Daemon {
    /// How often a look is taken whether they still stand. Programs that fight over the file shall not do so all the time.
    private static var nameServerInterval: Interval { .seconds(10) }

    /// Restores what a daemon with this tunnel left behind that was killed. At the start only, as it may take seconds.
    func cleanNameServers(_ directory: String) {
        do throws(ControlError) {
            try NameServers.clean(directory: directory, besides: tunnel.name)
        } catch {
            log(.warning, error.description)
        }
    }

    /// Has names asked of the tunnel's servers.
    mutating func useNameServers(_ client: Configuration.Client, _ frame: AssignFrame) {
        let wanted = client.dns ?? frame.dns
        guard wanted != nameServers else { return }
        nameServers = wanted
        nameServerWriter.begin(wanted)
    }

    /// Says what has become of it, and sets them again when a DHCP client has written over them.
    mutating func watchNameServers(now: Instant) {
        noteNameServers()
        guard nameServerWay == .file || nameServerProblem != nil,
            now - nameServersCheckedAt >= Self.nameServerInterval
        else { return }
        nameServersCheckedAt = now
        if nameServerProblem == nil {
            guard hostNameServers.areDisplaced(nameServers) else { return }
            log(
                .info, "another program has written /etc/resolv.conf; the tunnel's name servers are set again"
            )
        }
        nameServerWay = nil
        nameServerWriter.begin(nameServers)
    }

    private mutating func noteNameServers() {
        for outcome in nameServerWriter.takeOutcomes() {
            switch outcome {
            case .set(let servers, let way):
                (nameServerWay, nameServerProblem) = (way, nil)
                let list = servers.map(\.description).joined(separator: " ")
                log(.info, "the name servers are set", ["servers": list, "by": way.rawValue])
            case .restored:
                (nameServerWay, nameServerProblem) = (nil, nil)
                log(.info, "the name servers are what they were")
            case .failed(let error):
                if nameServerProblem != error.description { log(.warning, error.description) }
                nameServerProblem = error.description
            }
        }
    }

    /// Restores the host's own, and waits for it.
    mutating func undoNameServers() {
        guard !nameServers.isEmpty else { return }
        nameServerWriter.begin([])
        nameServerWriter.finish()
        noteNameServers()
    }
}
