extension String {
    /// The text, safe for a terminal: names chosen by other hosts, passed on by a program that may be another
    /// version, must not control it. Characters that change how text is shown become question marks; line
    /// ends stay.
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
