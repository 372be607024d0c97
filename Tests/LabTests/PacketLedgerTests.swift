import Testing

@testable import Lab

@Suite("Packets that came") struct PacketLedgerTests {
    @Test func lossesCopiesAndDisorder() {
        var ledger = PacketLedger(first: 10, capacity: 200)
        // 12 and all from 100 on are lost, 13 is duplicated, 11 and 14 are late.
        for number: UInt32 in [10, 13, 11, 13, 15, 14] { ledger.note(number) }
        for number: UInt32 in 16..<100 { ledger.note(number) }
        #expect(ledger.received == 89)
        #expect(ledger.duplicates == 1)
        #expect(ledger.outOfOrder == 2)
    }

    @Test func numbersOutsideDoNotCount() {
        var ledger = PacketLedger(first: 10, capacity: 64)
        let counted = [0, 9, 10, 73, 74, UInt32.max].map { ledger.note($0) }
        #expect(counted == [false, false, true, true, false, false])
        #expect(ledger.received == 2 && ledger.outOfOrder == 0 && ledger.duplicates == 0)
    }

    @Test func lossAndRatesOfAFlow() {
        let flow = PacketFlow(
            sent: 1000, refused: 3, received: 990, duplicates: 0, outOfOrder: 0, sendingSeconds: 2,
            seconds: 2.25)
        #expect(flow.loss == 0.01 && flow.offered == 500 && flow.delivered == 440)
        let none = PacketFlow(
            sent: 0, refused: 0, received: 0, duplicates: 0, outOfOrder: 0, sendingSeconds: 0, seconds: 0)
        #expect(none.loss == 1 && none.offered == 0 && none.delivered == 0)
    }
}
