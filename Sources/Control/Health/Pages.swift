import ControlProtocol
import Synchronization

/// The pages of the health endpoint, without HTTP.
package final class Pages: Sendable {
    /// One response.
    struct Page: Sendable {
        var code: Int
        var type: String
        var body: [UInt8]

        static let json = "application/json"
        static let metrics = "text/plain; version=0.0.4; charset=utf-8"
    }

    private let source: StatusSource
    /// Whether bondd answers, without its sessions.
    private let pulse: StatusSource
    private let service: ControlService?
    /// The last body of `/metrics` and the number of its snapshot: a hundred scrapes a second read the state
    /// four times.
    private let metrics = Mutex<(number: Int, body: [UInt8])>((0, []))

    /// - Parameters:
    ///   - socket: the path of bondd's socket.
    ///   - service: nil on a client, which has no state.
    package init(socket: String, service: ControlService?) {
        source = StatusSource(socket: socket)
        pulse = StatusSource(socket: socket, question: .ping)
        self.service = service
    }

    /// The page at a path; nil if there is none.
    func page(at path: some StringProtocol) async -> Page? {
        switch path {
        case "/healthz": page(Health.alive(await pulse.snapshot()))
        case "/readyz": page(Health.ready(await source.snapshot()))
        case "/status": status(await source.snapshot())
        case "/metrics": Page(code: 200, type: Page.metrics, body: metrics(await source.snapshot()))
        default: nil
        }
    }

    private func page(_ health: Health) -> Page {
        let body = (try? Line.encode(health.noting(service?.services?.notices ?? []))) ?? []
        return Page(code: health.isGood ? 200 : 503, type: Page.json, body: body)
    }

    private func status(_ snapshot: StatusSource.Snapshot) -> Page {
        var status = snapshot.status
        status?.notices += service?.services?.notices ?? []
        guard let status, let body = try? Line.encode(status) else {
            return page(Health(reasons: [snapshot.reason]))
        }
        return Page(code: 200, type: Page.json, body: body)
    }

    private func metrics(_ snapshot: StatusSource.Snapshot) -> [UInt8] {
        metrics.withLock { last in
            if last.number != snapshot.number {
                let page = MetricsPage(
                    snapshot, state: service?.figures, services: service?.services?.figures)
                last = (snapshot.number, Array(page.text.utf8))
            }
            return last.body
        }
    }
}

extension ControlService {
    /// The figures from the state; nil if it cannot be read.
    var figures: MetricsPage.StateFigures? {
        guard let clients = try? store.clients(plan: currentPlan), let usage = try? store.usage(),
            let invitations = try? store.openInvitations(now: currentTime())
        else { return nil }
        return MetricsPage.StateFigures(
            clients: clients, usage: usage, openInvitations: invitations.count,
            writeFailures: store.writeFailures, bonddIsCurrent: bonddIsCurrent)
    }
}

extension ServicePlane {
    /// The figures for the metrics page.
    var figures: MetricsPage.ServiceFigures {
        let (services, plane) = status()
        return MetricsPage.ServiceFigures(services: services, plane: plane, report: wholeReport())
    }
}
