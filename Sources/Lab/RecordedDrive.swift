import FoundationEssentials
import LinkModel

/// A drive during which the links' capacity was recorded second by second, as a CSV file with one column per
/// network.
///
/// Delay, jitter, loss and queue were not recorded: typical values for such networks are used.
public struct RecordedDrive: Sendable {
    /// The file's name without its extension.
    public let name: String
    /// The links, without those that never carried anything.
    public let links: [LinkSpec]

    /// Typical values for a network: one-way delay, jitter and queue in ms, and the fraction lost.
    private struct Habits {
        var delay: Double
        var jitter: Double
        var loss: Double
        var queue: Double

        init(_ network: String) {
            switch network {
            case "starlink": (delay, jitter, loss, queue) = (25, 6, 0.003, 150)
            case "verizon": (delay, jitter, loss, queue) = (28, 4, 0.0005, 300)
            case "att": (delay, jitter, loss, queue) = (33, 4, 0.0005, 300)
            case "tmobile": (delay, jitter, loss, queue) = (26, 4, 0.0005, 300)
            default: (delay, jitter, loss, queue) = (30, 4, 0.0005, 300)
            }
        }
    }

    /// Reads a file. Its rates are those downwards, multiplied by `scale`; upwards the rate is constant, a
    /// fifth of their mean.
    ///
    /// Throws `badSpec`.
    public init(path: String, scale: Double, networks: [String] = []) throws(LabError) {
        let text = try TraceFile.text(of: path, in: path)
        var links: [LinkSpec] = []
        for network in networks.isEmpty ? RateTrace.columns(ofCSV: text) : networks {
            do throws(TraceError) {
                let trace = try RateTrace(csv: text, column: network).scaled(by: scale)
                links.append(Self.link(network, trace))
            } catch TraceError.empty {
                continue
            } catch {
                throw .badSpec(text: path, reason: error.description)
            }
        }
        if links.isEmpty { throw .badSpec(text: path, reason: "none of its columns has a rate") }
        self.links = links
        name = String(path.split(separator: "/").last ?? "").replacing(".csv", with: "")
    }

    private static func link(_ network: String, _ trace: RateTrace) -> LinkSpec {
        let habits = Habits(network)
        var down = LinkShape(rate: 0, delay: UInt64(habits.delay * 1e6))
        down.jitter = UInt64(habits.jitter * 1e6)
        down.loss = habits.loss
        down.queue = UInt64(habits.queue * 1e6)
        var spec = LinkSpec(name: network, down)
        spec.up.rate = UInt64(trace.meanRate / 5)
        spec.down.trace = trace
        return spec
    }
}
