/// The sessions of an Engine by number, each allocated separately, so that pointers to them stay valid.
struct SessionTable: ~Copyable {
    private var pointers: [UnsafeMutablePointer<Session>?] = []
    private var free: [Int] = []

    /// Number of sessions.
    var count: Int { pointers.count - free.count }

    /// The session with that number.
    subscript(index: Int) -> UnsafeMutablePointer<Session>? { index < pointers.count ? pointers[index] : nil }

    /// Makes room for a session, which is given its number.
    mutating func insert(_ make: (Int) -> UnsafeMutablePointer<Session>) -> UnsafeMutablePointer<Session> {
        if let index = free.popLast() {
            let session = make(index)
            pointers[index] = session
            return session
        }
        let session = make(pointers.count)
        pointers.append(session)
        return session
    }

    /// Frees the session with that number, which has been torn down.
    mutating func remove(_ index: Int) {
        guard let session = pointers[index] else { return }
        pointers[index] = nil
        free.append(index)
        session.deinitialize(count: 1)
        session.deallocate()
    }

    deinit {
        for case let session? in pointers {
            session.deinitialize(count: 1)
            session.deallocate()
        }
    }

    func forEach(_ body: (UnsafeMutablePointer<Session>) -> Void) {
        for case let session? in pointers { body(session) }
    }
}
