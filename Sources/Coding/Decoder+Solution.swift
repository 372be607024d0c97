import Packet

// From equations to packets.
extension Decoder {
    /// Puts together every packet that the waiting equations determine.
    mutating func solve(_ pool: inout PacketPool) {
        system.removeAll()
        // Those with the fewest unknowns first, in case there is no room for all unknowns.
        for missing in 1...LinearSystem.size {
            for i in 0..<waiting where equations[i].missing == missing {
                system.add(equations[i].window, number: i, known: sources)
            }
        }
        system.reduce()
        let before = recoveredCount
        for row in 0..<system.rowCount {
            guard let sequence = system.determined(by: row) else { continue }
            guard recoveredCount < Self.maximumWaiting, let slot = combine(row, &pool) else { break }
            (recovered + recoveredCount).initialize(to: Recovered(sequence: sequence, slot: slot))
            recoveredCount += 1
        }
        // What was found is known from now on, and what it was found with is used up.
        for i in before..<recoveredCount {
            guard let copy = copy(of: recovered[i].slot, &pool) else { break }
            if !insert(copy, sequence: recovered[i].sequence, pool: &pool) { pool.release(copy) }
        }
    }

    /// Sums the equations up as a row of the solution says; nil when that is more than the peer has earned, or memory is out.
    private mutating func combine(_ row: Int, _ pool: inout PacketPool) -> Slot? {
        var length = 0
        var cost = 0
        for i in 0..<waiting where system.factor(of: i, in: row) != 0 {
            length = max(length, pool.length(of: equations[i].slot))
            cost += 1 + (equations[i].isReduced ? 0 : equations[i].window.count - equations[i].missing)
        }
        guard credit >= cost, Self.hasRoom(pool) else { return nil }
        let slot = pool.reserve()
        guard slot != .none else { return nil }
        credit -= cost
        pool.setLength(length, of: slot)
        let sum = pool.packet(in: slot, withPrefix: prefix)
        sum.initializeMemory(as: UInt8.self, repeating: 0)
        for i in 0..<waiting {
            let factor = system.factor(of: i, in: row)
            guard factor != 0 else { continue }
            reduce(equations + i, &pool)
            let symbol = pool.packet(in: equations[i].slot, withPrefix: prefix)
            GaloisField.add(factor, times: UnsafeRawBufferPointer(symbol), to: sum)
        }
        return slot
    }

    /// Subtracts from an equation's sum all symbols that are here.
    private func reduce(_ equation: UnsafeMutablePointer<Equation>, _ pool: inout PacketPool) {
        guard !equation.pointee.isReduced else { return }
        equation.pointee.isReduced = true
        var sequence = equation.pointee.window.first
        while sequence < equation.pointee.window.end {
            let slot = sources.find(sequence)
            if slot != .none { subtract(slot, sequence, from: equation, &pool) }
            sequence += 1
        }
    }
}
