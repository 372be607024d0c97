extension StaticString {
    /// The characters in UTF-8: what a derived key is for.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}
