import CQrencode
import Glibc

/// A QR code (ISO/IEC 18004) as text for a terminal.
struct QRCode {
    /// Modules per side, without the quiet zone.
    let width: Int
    private let isDark: [Bool]

    /// Light modules around the code that a reader needs. The standard asks for 4; phones do with 2, which
    /// leaves room for larger codes in a line of 80 characters.
    static let quietZone = 2

    /// The code of `text`, with 7 % error correction (level L), because a screen has no damage. `nil` if the
    /// text is too long for a code.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        let code = bytes.withUnsafeBufferPointer {
            QRcode_encodeData(Int32($0.count), $0.baseAddress, 0, QR_ECLEVEL_L)
        }
        guard let code else { return nil }
        defer { QRcode_free(code) }
        width = Int(code.pointee.width)
        isDark = (0..<width * width).map { code.pointee.data[$0] & 1 == 1 }
    }

    /// Whether the module there is dark; modules in the quiet zone and beyond are not.
    func isDark(column: Int, row: Int) -> Bool {
        guard (0..<width).contains(column), (0..<width).contains(row) else { return false }
        return isDark[row * width + column]
    }

    /// The code in half blocks, two modules per character.
    /// - Parameter isColoured: whether to set the colours for light and dark (ECMA-48) regardless of the
    ///   terminal's own; without them, the code is right on a dark background.
    func text(isColoured: Bool) -> String {
        var lines: [String] = []
        for row in stride(from: -Self.quietZone, to: width + Self.quietZone, by: 2) {
            var line = isColoured ? "\u{1B}[97;40m" : ""
            for column in -Self.quietZone..<width + Self.quietZone {
                // The light modules are drawn.
                switch (isDark(column: column, row: row), isDark(column: column, row: row + 1)) {
                case (true, true): line += " "
                case (true, false): line += "▄"
                case (false, true): line += "▀"
                case (false, false): line += "█"
                }
            }
            lines.append(line + (isColoured ? "\u{1B}[0m" : ""))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The code for standard output; `nil` if it can't be shown: not a terminal, a dumb one, or no UTF-8.
    static func forTerminal(_ text: String) -> String? {
        guard isatty(STDOUT_FILENO) == 1, let terminal = getenv("TERM"), String(cString: terminal) != "dumb",
            usesUTF8
        else { return nil }
        return QRCode(text)?.text(isColoured: true)
    }

    /// Whether the environment's locale uses UTF-8 (POSIX: the first of these variables that is set counts).
    private static var usesUTF8: Bool {
        for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
            guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else { continue }
            let upper = value.uppercased()
            return upper.contains("UTF-8") || upper.contains("UTF8")
        }
        return false
    }
}
