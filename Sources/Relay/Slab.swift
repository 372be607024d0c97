/// Objects by number. They stay in place while they live, and numbers are reused with another generation.
struct Slab<Element: ~Copyable>: ~Copyable {
    private static var chunkSize: Int { 256 }
    private var chunks: [UnsafeMutablePointer<Element>] = []
    private var generations: [UInt32] = []
    private var isLive: [Bool] = []
    private var free: [UInt32] = []

    /// The number of objects.
    private(set) var count = 0
    /// All numbers assigned so far are below this.
    var end: Int { generations.count }

    deinit {
        for index in generations.indices where isLive[index] { self[index].deinitialize(count: 1) }
        for chunk in chunks { chunk.deallocate() }
    }

    /// Inserts an object and returns its number.
    mutating func insert(_ element: consuming Element) -> Int {
        count += 1
        let index: Int
        if let last = free.popLast() {
            index = Int(last)
        } else {
            index = generations.count
            generations.append(0)
            isLive.append(false)
            if index / Self.chunkSize == chunks.count { chunks.append(.allocate(capacity: Self.chunkSize)) }
        }
        isLive[index] = true
        self[index].initialize(to: element)
        return index
    }

    /// Removes an object.
    mutating func remove(_ index: Int) {
        self[index].deinitialize(count: 1)
        generations[index] = (generations[index] &+ 1) & Token.generations
        isLive[index] = false
        free.append(UInt32(index))
        count -= 1
    }

    /// The object with that number.
    subscript(index: Int) -> UnsafeMutablePointer<Element> {
        chunks[index / Self.chunkSize] + index % Self.chunkSize
    }

    /// The generation of the object with that number.
    func generation(of index: Int) -> UInt32 { generations[index] }

    /// Whether there is an object with that number.
    func contains(_ index: Int) -> Bool { index < isLive.count && isLive[index] }

    /// Whether the token's object still exists.
    func contains(_ token: Token) -> Bool {
        contains(token.index) && generations[token.index] == token.generation
    }
}
