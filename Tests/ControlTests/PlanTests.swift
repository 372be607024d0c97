import Packet
import Settings
import Testing

@testable import Control

@Suite struct PlanTests {
    /// All addresses assigned in a network, in order.
    func addresses(_ network: String, extra: String = "") throws -> [String] {
        let plan = try Samples.plan([network], extra: extra)
        var taken: Set<IPAddress> = []
        var texts: [String] = []
        while texts.count < 300, let address = plan.firstFree(in: plan.networks[0], besides: taken) {
            #expect(plan.allows(address, in: plan.networks[0]))
            taken.insert(address)
            texts.append("\(address)")
        }
        return texts
    }

    @Test func networksGiveWhatHostsMayHave() throws {
        #expect(try addresses("10.0.0.1/30") == ["10.0.0.2"])
        #expect(try addresses("10.0.0.2/29") == ["10.0.0.1", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"])
        #expect(try addresses("10.0.0.0/31") == ["10.0.0.1"])
        #expect(try addresses("10.0.0.1/32").isEmpty)
        #expect(try addresses("fd77::1/126") == ["fd77::2", "fd77::3"])
        #expect(try addresses("fd77::1/128").isEmpty)
        #expect(try addresses("fd77::1/64").prefix(2) == ["fd77::2", "fd77::3"])
        #expect(try addresses("fd77::1/48").count == 300)
        #expect(try addresses("10.0.0.1/8").first == "10.0.0.2")
        let ranged = try addresses("10.0.0.1/24")
        #expect(ranged.count == 253 && ranged.last == "10.0.0.254")
    }

    @Test func theFilesClientsKeepTheirs() throws {
        let extra = Samples.client("desk", 1, "10.0.0.2") + Samples.client("car", 2, "10.0.0.4")
        #expect(try addresses("10.0.0.1/29", extra: extra) == ["10.0.0.3", "10.0.0.5", "10.0.0.6"])
    }

    @Test func onlyHostsOfTheNetworkAreAllowed() throws {
        let plan = try Samples.plan(["10.0.0.1/24"])
        for text in ["10.0.0.0", "10.0.0.255", "10.0.0.1", "10.0.1.5", "fd77::2"] {
            #expect(!plan.allows(IPAddress(text)!, in: plan.networks[0]), "\(text)")
        }
    }
}
