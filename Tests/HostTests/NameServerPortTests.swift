import Testing

@testable import Host

@Suite struct NameServerPortTests {
    private let head = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"

    @Test(arguments: [
        ("00000000:0035", true), ("0132A8C0:0035", true), ("3500007F:0035", false), ("0100007F:0035", false),
        ("00000000:14E9", false), ("00000000000000000000000000000000:0035", true),
        ("00000000000000000000000001000000:0035", false), ("", false), (":0035:", false),
    ])
    func aServerForOthersIsSeen(local: String, isServed: Bool) {
        let text = head + "  12: \(local) 00000000:0000 07 00000000:00000000 00:00000000 00000000     0\n"
        #expect(NameServerPort.isServed(table: text) == isServed)
    }
}
