import Packet

// From equations to packets.
extension Decoder {
    /// Recovers every packet that the waiting equations determine, as far as the credit allows. Called once
    /// per datagram.
    mutating func solve(_ pool: inout PacketPool) {
        var lookUps = 0
        for i in 0..<waiting where equations[i].missing <= LinearSystem.size {
            lookUps += equations[i].window.count
        }
        let search = lookUps * Self.lookUpCost
        guard spend(search) else {
            neededCredit = search
            return
        }
        mayBeSolvable = false
        neededCredit = 0
        system.removeAll()
        // Equations with the fewest unknowns first, in case there is no room for all unknowns.
        for missing in 1...LinearSystem.size {
            for i in 0..<waiting where equations[i].missing == missing {
                system.add(equations[i].window, number: i, known: sources)
            }
        }
        let cost = system.cost
        guard spend(cost) else {
            tryAgain(with: search + cost)
            return
        }
        system.reduce()
        let before = recoveredCount
        for row in 0..<system.rowCount {
            guard let sequence = system.determined(by: row) else { continue }
            guard recoveredCount < Self.maximumWaiting, let slot = combine(row, &pool) else {
                tryAgain(with: search + cost + neededCredit)
                break
            }
            (recovered + recoveredCount).initialize(to: Recovered(sequence: sequence, slot: slot))
            recoveredCount += 1
        }
        // The recovered packets are now known, and the equations that yielded them are used up.
        for i in before..<recoveredCount {
            guard let copy = copy(of: recovered[i].slot, &pool) else { break }
            if !insert(copy, sequence: recovered[i].sequence, pool: &pool) { pool.release(copy) }
        }
    }

    private mutating func tryAgain(with credit: Int) {
        mayBeSolvable = true
        neededCredit = min(credit, Self.largestCredit)
    }

    /// Combines the equations according to a row of the solution; `nil` if that costs more than the peer's
    /// credit or memory is out.
    private mutating func combine(_ row: Int, _ pool: inout PacketPool) -> Slot? {
        var length = 0
        var cost = 0
        for i in 0..<waiting where system.factor(of: i, in: row) != 0 {
            let own = pool.length(of: equations[i].slot)
            length = max(length, own)
            cost += own + prefix
            if !equations[i].isReduced {
                cost += equations[i].present + equations[i].window.count * Self.lookUpCost
            }
        }
        guard Self.hasRoom(pool) else { return nil }
        guard credit >= cost else {
            neededCredit = cost
            return nil
        }
        let slot = pool.reserve()
        guard slot != .none else { return nil }
        _ = spend(cost)
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

    /// Subtracts all available symbols from an equation's sum.
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
