import Packet
import Proto
import Testing

@testable import bondd

@Suite struct EnrolmentsTests {
    private func key(_ number: Int) -> PublicKey {
        var bytes = [UInt8](repeating: 0, count: 32)
        (bytes[0], bytes[1]) = (UInt8(number & 0xFF), UInt8(number >> 8))
        return PublicKey(bytes: bytes)
    }

    /// One invitation's holder sends one key after the other: the places of other invitations stay free.
    @Test func anInvitationHasItsShareOfTheWishes() {
        var enrolments = Enrolments()
        var now = Instant(nanoseconds: 1_000_000_000)
        var forsaken = 0
        for number in 0..<100 {
            enrolments.note(invitation: 1, key: key(number), host: "flood", now: now)
            now = now + .milliseconds(10)
        }
        for number in 2...8 {
            enrolments.note(invitation: number, key: key(1000 + number), host: "", now: now)
        }
        let told = enrolments.waiting
        #expect(told.count { $0 == 1 } == 8 && (2...8).allSatisfy { told.contains($0) })
        now = now + .seconds(4)
        forsaken = enrolments.takeForsaken(now: now).count
        #expect(forsaken == 15 && enrolments.waiting.isEmpty)
        // Their places are free again.
        enrolments.note(invitation: 1, key: key(5000), host: "", now: now)
        #expect(enrolments.waiting == [1])
    }
}
