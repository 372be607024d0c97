import FuzzInputs
import Glibc

// libFuzzer, which provides the main function (llvm.org/docs/LibFuzzer.html), feeds one of the inputs, guided by coverage:
//
//     Fuzz INPUT [libFuzzer's options and corpora]     see its manual: -max_total_time=60 and so on
//     Fuzz INPUT --history FILE                        replays a crash and the inputs before it

private let variable = "BONDD_FUZZ_INPUT"

/// Reads the input's name from the arguments; libFuzzer calls this first.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    let named =
        count.pointee > 1 ? arguments.pointee[1].flatMap { FuzzInput(rawValue: String(cString: $0)) } : nil
    // Processes started by libFuzzer itself, for example to merge corpora, inherit the name from the first.
    let inherited = getenv(variable).flatMap { FuzzInput(rawValue: String(cString: $0)) }
    guard let input = named ?? inherited
    else {
        let names = FuzzInput.allCases.map(\.rawValue).joined(separator: ", ")
        print("usage: Fuzz INPUT [OPTIONS] [CORPUS...]; the inputs are \(names)")
        exit(2)
    }
    if count.pointee == 4, let option = arguments.pointee[2], String(cString: option) == "--history",
        let file = arguments.pointee[3]
    {
        let body = input.makeBody()
        for bytes in History.inputs(in: String(cString: file)) { bytes.withUnsafeBytes(body) }
        print("nothing happened")
        exit(0)
    }
    if named != nil {
        setenv(variable, input.rawValue, 1)
        // The other arguments are libFuzzer's.
        for index in 1..<Int(count.pointee) { arguments.pointee[index] = arguments.pointee[index + 1] }
        count.pointee -= 1
    }
    Run.begin(input)
    return 0
}

/// Handles one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Run.take(UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
}

/// The single run of the process. libFuzzer's functions have no context argument, so it is global; there is one thread.
private enum Run {
    nonisolated(unsafe) private static var input = FuzzInput.frames
    nonisolated(unsafe) private static var body: (UnsafeRawBufferPointer) -> Void = { _ in }
    nonisolated(unsafe) private static var left = 0
    nonisolated(unsafe) private static var history: History?

    static func begin(_ input: FuzzInput) {
        self.input = input
        // A crash that depends on earlier inputs could not be repeated without them.
        if input.lifetime < .max { history = History("history-\(input.rawValue)-\(getpid())") }
    }

    static func take(_ bytes: UnsafeRawBufferPointer) {
        if left == 0 {
            body = input.makeBody()
            left = input.lifetime
            history?.clear()
        }
        left -= 1
        history?.append(bytes)
        body(bytes)
    }
}
