import Proto

extension WatchView {
    /// A change requested by a key.
    struct Change: Equatable {
        var key: String
        var value: String
    }

    /// Acts on a key; returns the change that the daemon has to make, if any.
    mutating func press(_ key: Key) -> Change? {
        switch key {
        case .quit: break
        case .up: selection = max(0, selection - 1)
        case .down: selection = max(0, min(rowCount - 1, selection + 1))
        case .top: selection = 0
        case .bottom: selection = max(0, rowCount - 1)
        case .sort: isSortedByName.toggle()
        case .open:
            if isList, list.indices.contains(selection) {
                opened = list[selection].client
                selection = 0
            }
        case .back:
            if let client = opened {
                opened = nil
                selection = list.firstIndex { $0.client == client } ?? 0
            }
        case .mode:
            guard let mode = history.status?.mode else { break }
            return Change(key: "mode", value: Self.next(mode, in: Mode.words))
        case .role:
            guard let paths = session?.paths, paths.indices.contains(selection) else { break }
            let path = paths[selection]
            return Change(key: "path.\(path.name).role", value: Self.next(path.role, in: PathRole.words))
        }
        return nil
    }

    private static func next(_ word: String, in words: [String]) -> String {
        words[((words.firstIndex(of: word) ?? -1) + 1) % words.count]
    }
}
