import Host
import Runtime

/// The hardware behind the names of paths, kept across restarts.
struct PathHardwareWatch {
    private var ledger: HardwareLedger
    private let writer: StateWriter
    /// A sentence for each name that leads to other hardware now.
    private var changed: [String: String] = [:]

    init(directory: String, interface: String) {
        let file = "\(directory)/\(interface).hardware"
        ledger = HardwareLedger(reading: file)
        writer = StateWriter(file, mode: 0o644)
    }

    var notices: [String] { changed.sorted { $0.key < $1.key }.map(\.value) }

    /// Notes the hardware that each name leads to, begins to save it, and logs each name that leads to other
    /// hardware than before.
    mutating func compare(_ identities: [String: HardwareLedger.Identity], _ log: Log) {
        let before = ledger.text
        for name in ledger.note(identities) {
            let sentence =
                "\(name) leads to other hardware (\(identities[name]?.mac ?? "-")) than before, but its role, caps and data use belong to the name; name the path by mac or device instead of interface"
            log(.warning, sentence)
            changed[name] = sentence
        }
        guard ledger.text != before else { return }
        _ = writer.takeOutcome(waits: true)
        writer.begin(Array(ledger.text.utf8))
    }

    /// Waits for the disk.
    mutating func close() { _ = writer.takeOutcome(waits: true) }
}
