import Glibc
import Packet
import Testing

@testable import Daemon

/// Letters between data threads.
@Suite struct LettersTests {
    private static func append(_ bytes: [UInt8], to letters: inout Letters) -> Bool {
        bytes.withUnsafeBytes { letters.append(.packet(hasPartialChecksum: bytes.first == 1), $0) }
    }

    private static func text(_ letters: borrowing Letters, _ index: Int) -> [UInt8] {
        Array(letters.bytes(index))
    }

    @Test func lettersKeepTheirOrderAndTheirBytes() {
        var letters = Letters()
        for number in UInt8(0)..<10 {
            let fits = Self.append([UInt8](repeating: number, count: Int(number)), to: &letters)
            #expect(fits)
        }
        #expect(letters.count == 10)
        for number in 0..<10 {
            #expect(Self.text(letters, number) == [UInt8](repeating: UInt8(number), count: number))
        }
        guard case .packet(let isPartial) = letters.content(1) else {
            Issue.record("another content")
            return
        }
        #expect(isPartial)
        letters.clear()
        #expect(letters.count == 0)
        let fits = Self.append([9], to: &letters)
        #expect(fits && Self.text(letters, 0) == [9])
    }

    /// Memory is bounded, whichever runs out first.
    @Test func aFullBoxTakesNoMore() {
        var letters = Letters()
        var small = 0
        while small < 10_000, Self.append([1], to: &letters) { small += 1 }
        #expect(small == 2048)
        letters.clear()
        let large = [UInt8](repeating: 2, count: 65_535)
        var count = 0
        while count < 10_000, Self.append(large, to: &letters) { count += 1 }
        #expect(count == 2048 * 1500 / 65_535)
    }

    /// One wake-up for each batch: the owner takes all letters at once.
    @Test func theOwnerIsWokenAndTakesEverything() throws {
        let mailbox = try ThreadMailbox()
        func isReadable() -> Bool {
            var watched = pollfd(fd: mailbox.fileDescriptor, events: Int16(POLLIN), revents: 0)
            return poll(&watched, 1, 0) == 1
        }
        #expect(!isReadable())
        mailbox.post { letters in
            _ = Self.append([1], to: &letters)
            _ = Self.append([2], to: &letters)
        }
        mailbox.post { _ = Self.append([3], to: &$0) }
        mailbox.post(.setRedundantPaths(2))
        #expect(isReadable())
        var mine = Letters()
        let commands = mailbox.take(&mine)
        #expect(commands.count == 1 && mine.count == 3 && Self.text(mine, 2) == [3])
        #expect(!isReadable())
        mine.clear()
        mailbox.post { _ = Self.append([4], to: &$0) }
        #expect(isReadable())
        _ = mailbox.take(&mine)
        #expect(mine.count == 1 && Self.text(mine, 0) == [4])
    }

    @Test func aLoopSourceSurvivesItsBits() {
        for number in [UInt16(0), 1, 31, .max] {
            guard case .socket(number)? = LoopSource(bits: LoopSource.socket(number).bits) else {
                Issue.record("socket \(number)")
                continue
            }
        }
        guard case .firewall? = LoopSource(bits: LoopSource.firewall.bits) else {
            Issue.record("firewall")
            return
        }
        #expect(LoopSource(bits: 0) == nil && LoopSource(bits: 99 << 32) == nil)
    }
}
