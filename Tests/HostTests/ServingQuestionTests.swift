import Packet
import Testing

@testable import Host

@Suite struct ServingQuestionTests {
    private let question = ServingQuestion(id: 0x1234)

    /// An answer with a code; without the question if that is left out.
    private func answer(_ code: UInt8, hasQuestion: Bool = true, id: UInt8 = 0x34) -> [UInt8] {
        let count: UInt8 = hasQuestion ? 1 : 0
        return [0x12, id, 0x81, 0x80 | code, 0, count, 0, 0, 0, 0, 0, 0]
            + (hasQuestion ? Array(question.bytes[12...]) : [])
    }

    @Test func answersAreJudgedByTheirCode() {
        #expect(question.judge(answer(0)[...]) == .good)
        #expect(question.judge(answer(3)[...]) == .good)
        for code in [1, 2, 4, 5] as [UInt8] { #expect(question.judge(answer(code)[...]) == .refusal) }
        #expect(question.judge(answer(5, hasQuestion: false)[...]) == .refusal)
        var loud = answer(0)
        for i in 12..<loud.count where (97...122).contains(loud[i]) { loud[i] -= 32 }
        #expect(question.judge(loud[...]) == .good)
    }

    @Test func whatIsNoAnswerIsIgnored() {
        #expect(question.judge(answer(0, id: 0x35)[...]) == nil)
        #expect(question.judge(answer(0, hasQuestion: false)[...]) == nil)
        // A question is not an answer, not even one's own.
        #expect(question.judge(question.bytes[...]) == nil)
        var other = answer(0)
        other[13] = 120
        #expect(question.judge(other[...]) == nil)
        var random = SystemRandomNumberGenerator()
        for length in 0..<64 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            _ = question.judge(bytes[...])
            _ = question.judge(answer(0).prefix(length))
        }
    }

    @Test func resolversAreReadFromTheFile() {
        let text =
            "# c\nsearch a\nnameserver 192.0.2.1\nnameserver\t::1 # x\nnameserver fe80::1%up0\noptions a\nnameserver x\n"
        #expect(HostResolver.addresses(in: text) == [IPAddress("192.0.2.1")!, IPAddress("::1")!])
    }
}

@Suite struct ReturnPathTests {
    /// As shown by /proc/net/tcp on hosts of this byte order.
    @Test func earlierConnectionsAreThoseThatOthersBegan() {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
               1: 0200650A:0016 630200C0:D431 01 00000000:00000000 02:000A7B4C 00000000     0        0 2 2
               2: 0200650A:9C40 07710CCB:01BB 01 00000000:00000000 02:000A7B4C 00000000     0        0 3 2
               3: 0100007F:0016 0100007F:D431 01 00000000:00000000 02:000A7B4C 00000000     0        0 4 2
            """
        let mapped = """
               0: 0000000000000000FFFF00000200650A:0016 0000000000000000FFFF0000640200C0:D431 01 0:0 0
               1: 000000FD00000000000000000100000G:0016 00000000000000000000000000000000:0000 01 0:0 0
            """
        let found = EarlierConnection.list([text, mapped])
        #expect(found.map(\.local) == [IPAddress("10.101.0.2")!, IPAddress("10.101.0.2")!])
        #expect(found.map(\.remote) == [IPAddress("192.0.2.99")!, IPAddress("192.0.2.100")!])
        #expect(found.allSatisfy { $0.port == 22 })
    }

    @Test func uplinksKeepTheirNumbersApart() {
        #expect(ReturnMark.numbers(of: [3, 19, 4, 3]) == [3: 3, 19: 4, 4: 5])
        #expect(Set(ReturnMark.numbers(of: Array(1...17)).values).count == 16)
        let marks = (0..<16).flatMap { [ReturnMark.uplink($0), ReturnMark.arrival($0)] }
        #expect(Set(marks + [ReturnMark.value(interface: "bond0")]).count == 33)
        #expect(marks.allSatisfy { $0 & ~ReturnMark.mask == 0 })
    }
}
