/// GF(2⁸) by tables of logarithms, as in RFC 5510 section 8.1: a different method than the code under test.
struct LogField {
    private var log = [Int](repeating: 0, count: 256)
    private var exp = [UInt8](repeating: 0, count: 510)

    init() {
        var x = 1
        for i in 0..<255 {
            exp[i] = UInt8(x)
            exp[i + 255] = UInt8(x)
            log[x] = i
            x <<= 1
            if x > 255 { x ^= 0x11D }
        }
    }

    func multiply(_ a: UInt8, _ b: UInt8) -> UInt8 {
        a == 0 || b == 0 ? 0 : exp[log[Int(a)] + log[Int(b)]]
    }

    func divide(_ a: UInt8, by b: UInt8) -> UInt8 {
        a == 0 ? 0 : exp[log[Int(a)] + 255 - log[Int(b)]]
    }
}
