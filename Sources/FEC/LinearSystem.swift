/// A small system of linear equations over GF(2⁸), brought to reduced row echelon form to find which unknowns
/// it determines, and by which combination of its equations.
///
/// A row has one byte for each unknown, followed by one for each equation, which record how the row was
/// combined. So the symbols themselves are touched only for the unknowns that are determined.
struct LinearSystem: ~Copyable {
    /// Maximum number of equations, and of unknowns: more losses than that at once are no longer few.
    static let size = 16
    /// Bytes per row.
    private static let width = size + Decoder.maximumWaiting

    private let unknowns: UnsafeMutablePointer<UInt64>
    private(set) var unknownCount = 0
    private(set) var rowCount = 0
    private let rows: UnsafeMutableRawBufferPointer

    init() {
        unknowns = .allocate(capacity: Self.size)
        rows = .allocate(byteCount: Self.size * Self.width, alignment: 16)
    }

    deinit {
        unknowns.deallocate()
        rows.deallocate()
    }

    /// Removes all equations.
    mutating func removeAll() {
        unknownCount = 0
        rowCount = 0
    }

    /// Adds the equation that the caller knows by `number`, below `Decoder.maximumWaiting`; its unknowns are
    /// the symbols not in `known`. An equation with too many unknowns is left out.
    mutating func add(_ window: EncodingWindow, number: Int, known: borrowing SourceSymbols) {
        guard rowCount < Self.size else { return }
        let row = row(rowCount)
        row.initializeMemory(as: UInt8.self, repeating: 0)
        let before = unknownCount
        var sequence = window.first
        while sequence < window.end {
            if known.find(sequence) == .none {
                guard let column = column(of: sequence) else {
                    unknownCount = before
                    return
                }
                row[column] = window.coefficient(of: sequence)
            }
            sequence += 1
        }
        row[Self.size + number] = 1
        rowCount += 1
    }

    /// The work of `reduce`, in bytes multiplied: each unknown is eliminated from each row.
    var cost: Int { rowCount * unknownCount * Self.width }

    /// Brings the system to reduced row echelon form (Gauss-Jordan elimination).
    mutating func reduce() {
        var rank = 0
        for column in 0..<unknownCount {
            var pivot = rank
            while pivot < rowCount && row(pivot)[column] == 0 { pivot += 1 }
            guard pivot < rowCount else { continue }
            if pivot != rank { swap(pivot, rank) }
            scale(rank, by: GaloisField.inverse(row(rank)[column]))
            for other in 0..<rowCount where other != rank && row(other)[column] != 0 {
                GaloisField.add(
                    row(other)[column], times: UnsafeRawBufferPointer(row(rank)), to: row(other))
            }
            rank += 1
        }
        rowCount = rank
    }

    /// The unknown that the row at `index` of the reduced system determines; `nil` if the row has several
    /// left.
    func determined(by index: Int) -> UInt64? {
        let row = row(index)
        var found: Int?
        for column in 0..<unknownCount where row[column] != 0 {
            if found != nil { return nil }
            found = column
        }
        return found.map { unknowns[$0] }
    }

    /// The factor of the caller's equation `number` in the row at `index`.
    func factor(of number: Int, in index: Int) -> UInt8 { row(index)[Self.size + number] }

    private func row(_ index: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: rows[index * Self.width..<(index + 1) * Self.width])
    }

    /// The column of an unknown, adding one if it is new; `nil` if there are too many.
    private mutating func column(of sequence: UInt64) -> Int? {
        for i in 0..<unknownCount where unknowns[i] == sequence { return i }
        guard unknownCount < Self.size else { return nil }
        unknowns[unknownCount] = sequence
        unknownCount += 1
        return unknownCount - 1
    }

    private func scale(_ index: Int, by factor: UInt8) {
        // In a field of characteristic 2, f × row = row + (f + 1) × row.
        let row = row(index)
        GaloisField.add(factor ^ 1, times: UnsafeRawBufferPointer(row), to: row)
    }

    private func swap(_ a: Int, _ b: Int) {
        let (a, b) = (row(a), row(b))
        for i in 0..<a.count { (a[i], b[i]) = (b[i], a[i]) }
    }
}
