/// Two figures of a scenario that are to be compared, by their medians.
struct Ratio {
    let name: String
    let reference: String
    let bound: Sample.Bound

    /// How much more `name` is than `reference`; both are names of figures.
    init(_ name: String, to reference: String, _ bound: Sample.Bound) {
        (self.name, self.reference, self.bound) = (name, reference, bound)
    }

    /// The figure, when both are there.
    func sample(of figures: [Figure]) -> Sample? {
        guard let figure = figures.first(where: { $0.name == name }),
            let reference = figures.first(where: { $0.name == reference }), reference.median > 0
        else { return nil }
        return Sample("\(name) : \(reference.name)", "×", figure.median / reference.median, bound)
    }
}
