extension String {
    /// The text for a terminal: what other hosts have named, and a program that may be another version passes on, must not steer it.
    /// Characters that control how text is shown become question marks; ends of lines stay.
    var printable: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0 == "\n" || $0.isShown ? $0 : "?" }))
    }
}

extension Unicode.Scalar {
    fileprivate var isShown: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
        default: true
        }
    }
}
