extension World {
    func traceLine(from side: Side) -> String { "\(now.microseconds)" }
}
