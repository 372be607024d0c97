import Glibc
import Lab

/// The loop of `bondlab run`: handles lines from stdin, signals, and the end of the child.
struct Console {
    let lab: Lab
    let interrupt: Interrupt
    let child: Child?
    let readsInput: Bool

    /// Returns when the lab should end. End of input ends a lab only on a terminal: in a script, stdin is often
    /// empty.
    func run() throws(LabError) {
        var pending: [UInt8] = []
        var input: Int32 = readsInput ? 0 : -1
        while child?.isRunning ?? true {
            var events = [
                pollfd(fd: interrupt.fd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: input, events: Int16(POLLIN), revents: 0),
            ]
            // The timeout is for the child's end, which has no descriptor here.
            guard poll(&events, 2, child == nil ? -1 : 50) > 0 else { continue }
            if events[0].revents != 0 { return }
            if events[1].revents == 0 { continue }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = read(0, &bytes, bytes.count)
            if count <= 0 {
                if isatty(0) == 1 { return }
                input = -1
                continue
            }
            pending += bytes.prefix(count)
            while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                if !perform(line) { return }
            }
            if pending.count > 65_536 { pending = [] }
        }
    }

    /// Executes one line; returns false if it ends the lab. A line that fails is reported and changes nothing.
    private func perform(_ line: String) -> Bool {
        do throws(LabError) {
            guard let command = try LinkCommand(line) else { return true }
            switch command {
            case .set(let name, let options): try link(name).apply(options)
            case .down(let name): try link(name).isDown = true
            case .up(let name): try link(name).isDown = false
            case .carrier(let name, let on): try link(name).setCarrier(on)
            case .unplug(let name): try link(name).unplug(.client)
            case .plug(let name): try link(name).plug(.client)
            case .show: show()
            case .help: print(LinkCommand.usage)
            case .quit: return false
            }
        } catch {
            let message = "\(error)\n"
            _ = write(2, message, message.utf8.count)
        }
        fflush(nil)
        return true
    }

    private func link(_ name: String) throws(LabError) -> EmulatedLink {
        guard let link = lab.links.first(where: { $0.name == name }) else { throw .unknownLink(name) }
        return link
    }

    private func show() {
        var table = Table(["link", "way", "sent", "delivered", "queue drops", "lost", "vanished", "copies"])
        for link in lab.links {
            for way in LinkDirection.allCases {
                let c = link.counters(way)
                let figures = [c.sent, c.delivered, c.queueDropped, c.lost, c.vanished, c.duplicated]
                table.add([link.name, way == .up ? "up" : "down"] + figures.map(String.init))
            }
        }
        print(table)
    }
}
