import Control
import Packet
import Proto
import Settings

// A client's name servers: the file's, or what the server offers, from the first assignment until the end.
extension Daemon {
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

    /// Says what has become of it.
    func noteNameServers() {
        for outcome in nameServerWriter.takeOutcomes() {
            switch outcome {
            case .set(let servers, let way):
                let list = servers.map(\.description).joined(separator: " ")
                log(.info, "the name servers are set", ["servers": list, "by": way.rawValue])
            case .restored: log(.info, "the name servers are what they were")
            case .failed(let error): log(.warning, error.description)
            }
        }
    }

    /// Restores the host's own, and waits for it.
    func undoNameServers() {
        guard !nameServers.isEmpty else { return }
        nameServerWriter.begin([])
        nameServerWriter.finish()
        noteNameServers()
    }
}
