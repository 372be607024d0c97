extension StaticString {
    /// The characters in UTF-8, for the purpose of a derived key.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}
