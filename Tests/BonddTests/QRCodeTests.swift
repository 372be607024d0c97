import Testing

@testable import bondd

@Suite struct QRCodeTests {
    /// ISO/IEC 18004 section 6.3.3: three corners have a square of 3 × 3 in a ring in a light ring.
    @Test func theCornersAreAsTheStandardHasThem() throws {
        let code = try #require(QRCode("bondd://" + String(repeating: "a", count: 130)))
        #expect(code.width % 4 == 1 && (21...177).contains(code.width))
        let far = code.width - 7
        for (left, top) in [(0, 0), (far, 0), (0, far)] {
            for column in 0..<7 {
                for row in 0..<7 {
                    let ring = max(abs(column - 3), abs(row - 3))
                    #expect(code.isDark(column: left + column, row: top + row) == (ring != 2))
                }
            }
        }
        for index in 0..<8 {
            #expect(!code.isDark(column: index, row: 7) && !code.isDark(column: 7, row: index))
        }
        #expect(!code.isDark(column: -1, row: 0) && !code.isDark(column: code.width, row: 3))
    }

    /// The text shows the code, two rows in each line, with light modules drawn.
    @Test func theTextIsTheCode() throws {
        let code = try #require(QRCode("bondd://AQEjRWeJ"))
        let lines = code.text(isColoured: false).split(separator: "\n").map(Array.init)
        let zone = QRCode.quietZone
        #expect(lines.count == (code.width + 2 * zone + 1) / 2)
        for (number, line) in lines.enumerated() {
            #expect(line.count == code.width + 2 * zone)
            for (place, character) in line.enumerated() {
                let (column, row) = (place - zone, 2 * number - zone)
                let isUpperDark = character == " " || character == "▄"
                let isLowerDark = character == " " || character == "▀"
                #expect(code.isDark(column: column, row: row) == isUpperDark)
                #expect(code.isDark(column: column, row: row + 1) == isLowerDark)
            }
        }
    }

    @Test func theLongestThereIs() {
        #expect(QRCode(String(repeating: "x", count: 2953)) != nil)
        #expect(QRCode(String(repeating: "x", count: 2954)) == nil)
    }
}
