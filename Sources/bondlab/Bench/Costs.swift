import Lab

/// The resources that the daemons of a course spend on traffic.
struct Costs {
    private let course: Course
    private let secondsBefore: [Double]
    private let bytesBefore: Int

    /// Records the current counters.
    init(of course: Course) {
        self.course = course
        secondsBefore = Self.seconds(course)
        bytesBefore = Self.bytes(course)
    }

    /// CPU seconds for each Gbit received by the server since, and the current memory.
    func samples() -> [Sample] {
        let gigabits = Double(Self.bytes(course) - bytesBefore) * 8 / 1e9
        let most: Sample.Bound? = course.contender.isBondd ? .atMost(64) : nil
        var samples: [Sample] = []
        for (i, after) in Self.seconds(course).enumerated() {
            samples.append(
                Sample(
                    "\(course.name), up: CPU of the \(course.daemons[i].end)", "s/Gbit",
                    gigabits > 0 ? (after - secondsBefore[i]) / gigabits : .infinity))
        }
        for (end, child) in course.daemons {
            samples.append(
                Sample(
                    "\(course.name), up: memory of the \(end)", "MB", Self.megabytes(child.residentMemory)))
        }
        let peak = course.daemons.map { Self.megabytes($0.child.peakMemorySoFar) }.max()
        samples.append(Sample("\(course.name), up: memory at its peak", "MB", peak ?? .infinity, most))
        return samples
    }

    /// In units of 10⁶ bytes; infinite for a daemon that has ended.
    static func megabytes(_ bytes: Int?) -> Double { bytes.map { Double($0) / 1e6 } ?? .infinity }

    private static func seconds(_ course: Course) -> [Double] {
        course.daemons.map { $0.child.cpuSecondsSoFar ?? .infinity }
    }

    private static func bytes(_ course: Course) -> Int {
        course.server.receivedBytes(course.serverInterface) ?? 0
    }
}
