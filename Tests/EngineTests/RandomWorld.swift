import Lab
import LinkModel
import Packet
import Proto
import Scheduler

@testable import Engine

/// A world derived from a seed: links, mode, flows.
struct RandomWorld {
    let world: World
    let traffic: Traffic
    let description: String
    /// Whether the links lose, duplicate and reorder nothing, and are not overloaded.
    let isGentle: Bool
    private var random: SeededGenerator

    init(seed: UInt64, isGentle: Bool = false) throws {
        var random = SeededGenerator(seed: seed)
        var specs: [[String]] = []
        let clients = Int.random(in: 1...2, using: &random)
        var capacity = 0.0
        for _ in 0..<clients {
            var paths: [String] = []
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let rate = [5, 10, 20, 50, 100].randomElement(using: &random)!
                var text = "\(rate)/\(Int.random(in: 1...80, using: &random))"
                capacity = max(capacity, Double(rate))
                if !isGentle {
                    if Bool.random(using: &random) {
                        text += ",jitter=\(Int.random(in: 1...15, using: &random))"
                    }
                    if text.contains("jitter") && Bool.random(using: &random) { text += ",reorder" }
                    if Bool.random(using: &random) {
                        text += ",loss=\(Int.random(in: 1...8, using: &random))%"
                        if Bool.random(using: &random) {
                            text += ",burst=\(Int.random(in: 1...8, using: &random))"
                        }
                    }
                    if Int.random(in: 0..<4, using: &random) == 0 { text += ",dup=3%" }
                    if Int.random(in: 0..<4, using: &random) == 0 { text += ",queue=20" }
                }
                paths.append(text)
            }
            specs.append(paths)
        }
        let mode = Mode.allCases.randomElement(using: &random)!
        world = try World(clients: specs, mode: mode, seed: seed, pool: 4096)
        traffic = Traffic(world)
        for client in 0..<clients {
            for id in UInt16(1)...UInt16.random(in: 1...4, using: &random) {
                // Gentle flows are small ones, so that the smallest set of links carries them all.
                let every = Interval.microseconds(
                    Int64.random(in: isGentle ? 8000...20_000 : 500...4000, using: &random))
                let payload = Int.random(in: 20...(isGentle ? 300 : 1300), using: &random)
                traffic.add(
                    from: Bool.random(using: &random) ? client : -1, client: client, id: id, every: every,
                    payload: payload, isV6: Bool.random(using: &random),
                    expedited: Int.random(in: 0..<5, using: &random) == 0)
            }
        }
        self.random = random
        self.isGentle = isGentle
        description = "seed \(seed): \(mode), \(specs)"
        world.run(for: .seconds(1))
    }

    /// Cuts or heals a path, restarts a client or the server, or changes an address.
    mutating func disturb() {
        let link = world.links.randomElement(using: &random)!
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1: link.isDown = true
        case 2, 3: link.isDown = false
        case 4: link.clientEndpoint.port &+= 1000
        case 5:
            world.setPath(link.path, of: link.client, role: PathRole.allCases.randomElement(using: &random)!)
        case 6: world.clients[link.client].engine.setMode(Mode.allCases.randomElement(using: &random)!)
        default:
            switch Int.random(in: 0..<6, using: &random) {
            case 0: world.restartServer()
            case 1: world.restartClient(link.client)
            default: break
            }
        }
    }

    /// Everything works again.
    func heal() {
        for link in world.links {
            link.heal()
            world.setPath(link.path, of: link.client)
        }
    }
}
