/// Two figures of a scenario to compare, by their medians.
struct Ratio {
    let name: String
    let reference: String
    let bound: Sample.Bound

    /// The ratio of `name` to `reference`, both names of figures.
    init(_ name: String, to reference: String, _ bound: Sample.Bound) {
        (self.name, self.reference, self.bound) = (name, reference, bound)
    }

    /// The figure, if both exist.
    func sample(of figures: [Figure]) -> Sample? {
        guard let figure = figures.first(where: { $0.name == name }),
            let reference = figures.first(where: { $0.name == reference }), reference.median > 0
        else { return nil }
        return Sample("\(name) : \(reference.name)", "×", figure.median / reference.median, bound)
    }
}
