import Testing

@testable import bondlab

@Suite struct ForwardedRuleTests {
    @Test func everyOptionIsUnderstood() throws {
        let text = "tcp:8443=10.101.0.2:443,name=a.example,in=1,out=2,rate=3,connections=4,quota=5"
        let forwarded = try #require(ForwardedRule(argument: text))
        let rule = forwarded.rule
        #expect(rule.transport == .tcp && rule.ports == 8443...8443)
        #expect(rule.targets.map(\.host) == ["10.101.0.2"] && rule.targets.map(\.port) == [443])
        #expect(rule.serverName == "a.example" && rule.limit.bytesIn == 1 && rule.limit.bytesOut == 2)
        #expect(rule.limit.connectionRate == 3 && rule.limit.connections == 4)
        #expect(forwarded.quota?.remaining == 5 && rule.owner == text)
        let other = try #require(ForwardedRule(argument: "udp:53=fd00::2:5353,flows=9"))
        #expect(other.rule.transport == .udp && other.rule.maximumFlows == 9 && other.quota == nil)
        #expect(other.rule.targets.map(\.host) == ["fd00::2"])
    }

    @Test(arguments: [
        "", ",", "=", "tcp", "tcp:1", "tcp:1=", "tcp:1=a", "tcp:1=a:", "tcp:70000=a:1", "sctp:1=a:1",
        "tcp:1=a:1,",
        "tcp:1=a:1,in", "tcp:1=a:1,in=-1", "tcp:1=a:1,in=x", "tcp:1=a:1,other=1",
    ])
    func whatMeansNothingIsRefused(_ text: String) {
        // A trailing comma is accepted.
        #expect((ForwardedRule(argument: text) == nil) == (text != "tcp:1=a:1,"))
    }
}
