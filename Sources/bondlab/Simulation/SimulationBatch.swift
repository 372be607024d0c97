import Foundation
import Simulation
import Synchronization

/// Many runs, on one core or several. What comes out is the same.
struct SimulationBatch {
    let mixes: [Mix]
    let columns: [Column]
    let seed: UInt64
    var usesECN = false

    /// Runs all.
    /// - Parameter jobs: how many runs at once.
    func results(jobs: Int, trace: ((String) -> Void)? = nil) -> [SimulationResult] {
        if let trace {
            var result = SimulationResult(mixes[0])
            result[columns[0]] = Run(mixes[0], columns[0], seed: seed, usesECN: usesECN).measure(trace: trace)
            return [result]
        }
        let results = Mutex(mixes.map { SimulationResult($0) })
        let tasks = mixes.indices.flatMap { row in columns.map { (row, $0) } }
        let next = Atomic(0)
        let (mixes, seed, usesECN) = (mixes, seed, usesECN)
        let singles = columns.contains(.cubic) ? SingleLinks(seed: seed, usesECN: usesECN) : nil
        DispatchQueue.concurrentPerform(iterations: min(jobs, tasks.count)) { _ in
            while case let task = next.add(1, ordering: .relaxed).oldValue, task < tasks.count {
                let (row, column) = tasks[task]
                let cell = Run(mixes[row], column, seed: seed, usesECN: usesECN).measure()
                let best = column == .cubic ? singles?.best(of: mixes[row]) : nil
                results.withLock {
                    $0[row][column] = cell
                    if let best { $0[row].bestSingle = best }
                }
            }
        }
        return results.withLock { $0 }
    }
}
