/// The IDs of paths that were removed. None of them is added again: its packet numbers would begin again, and so would its
/// nonces. An ID that was never used may be lower than one that is gone.
struct RemovedPaths {
    /// The most IDs remembered one by one; beyond it the lowest stands for all below.
    private static let most = 64

    private var ids: [UInt16] = []
    /// No ID up to this one is admitted.
    private var floor = -1

    /// Notes that a path is gone.
    mutating func insert(_ id: UInt16) {
        ids.append(id)
        guard ids.count > Self.most, let lowest = ids.min() else { return }
        floor = max(floor, Int(lowest))
        ids.removeAll { Int($0) <= floor }
    }

    /// Whether no path of this ID was removed.
    func admits(_ id: UInt16) -> Bool { Int(id) > floor && !ids.contains(id) }
}
