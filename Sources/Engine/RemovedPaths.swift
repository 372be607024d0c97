/// The IDs of removed paths. None of them is added again: its packet numbers would start over, and with them
/// its nonces. An ID that was never used may be lower than a removed one.
struct RemovedPaths {
    /// Maximum number of IDs remembered individually; beyond it the lowest stands for all below.
    private static let most = 64

    private var ids: [UInt16] = []
    /// IDs up to this one are refused.
    private var floor = -1

    /// Records that a path was removed.
    mutating func insert(_ id: UInt16) {
        ids.append(id)
        guard ids.count > Self.most, let lowest = ids.min() else { return }
        floor = max(floor, Int(lowest))
        ids.removeAll { Int($0) <= floor }
    }

    /// Whether a path with this ID was never removed.
    func admits(_ id: UInt16) -> Bool { Int(id) > floor && !ids.contains(id) }
}
