import ControlProtocol
import Engine
import Packet

extension ClassStatus {
    /// The status of a class by the core's report.
    init(_ report: ClassReport) {
        let service = report.serviceClass
        self.init(
            name: service?.name ?? "default",
            priority: Int(service?.priority ?? ServiceClass.defaultPriority),
            share: (report.share * 10_000).rounded() / 100, ceiling: Double(service?.ceiling ?? 0) / 1000,
            sentPackets: report.packets, sentBytes: report.bytes, queuePackets: report.queued,
            dropped: report.dropped, marked: report.marked)
    }
}

extension LimitStatus {
    /// The limits in a report; nil if there are none to tell of.
    init?(_ limits: PeerLimits, isServer: Bool) {
        guard limits != PeerLimits() else { return nil }
        self.init(
            rateUp: Double(limits.rateUp) / 125_000, rateDown: Double(limits.rateDown) / 125_000,
            priority: isServer ? Int(limits.priority) : nil)
    }
}
