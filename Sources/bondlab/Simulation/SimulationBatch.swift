import Foundation
import Simulation
import Synchronization

/// Many runs, on one or several cores, with the same results.
struct SimulationBatch {
    let mixes: [Mix]
    let columns: [Column]
    /// The seeds; each cell has a run for each, and reports their mean.
    let seeds: [UInt64]
    var usesECN = false

    /// Performs one run, with a line of figures for every 10 ms of it.
    func trace(_ note: @escaping (String) -> Void) -> [SimulationResult] {
        var result = SimulationResult(mixes[0])
        result[columns[0]] = Run(mixes[0], columns[0], seed: seeds[0], usesECN: usesECN).measure(trace: note)
        return [result]
    }

    /// Performs all runs.
    /// - Parameter jobs: the number of concurrent runs.
    func results(jobs: Int) -> [SimulationResult] {
        let results = Mutex(mixes.map { SimulationResult($0) })
        let tasks = mixes.indices.flatMap { row in columns.map { (row, $0) } }
        let next = Atomic(0)
        let (mixes, seeds, usesECN) = (mixes, seeds, usesECN)
        let singles = SingleLinks(seeds: seeds, usesECN: usesECN)
        DispatchQueue.concurrentPerform(iterations: min(jobs, tasks.count)) { _ in
            while case let task = next.add(1, ordering: .relaxed).oldValue, task < tasks.count {
                let (row, column) = tasks[task]
                let cell = Self.mean(mixes[row], column, seeds: seeds, usesECN: usesECN)
                let best = column == .cubic ? singles.best(of: mixes[row]) : nil
                results.withLock {
                    $0[row][column] = cell
                    if let best { $0[row].bestSingle = best }
                }
            }
        }
        return results.withLock { $0 }
    }

    /// The mean of a cell over the seeds.
    static func mean(_ mix: Mix, _ column: Column, seeds: [UInt64], usesECN: Bool) -> Cell {
        .mean(seeds.map { Run(mix, column, seed: $0, usesECN: usesECN).measure() })
    }
}
