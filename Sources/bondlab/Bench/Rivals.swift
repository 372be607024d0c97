import Foundation
import Lab

/// The references for the tunnel, if available here.
struct Rivals {
    /// `wireguard-go`; nil if it is missing or does not run.
    let wireGuard: WireGuardProgram?
    /// The ceiling probe; nil if the environment names none.
    let ceiling: CeilingProbe?
    /// The available and missing references, with the reason, one sentence each.
    let notes: [String]

    /// Looks for them, and checks whether wireguard-go runs.
    init() {
        var notes: [String] = []
        do throws(LabError) {
            let program = try WireGuardProgram()
            let trial = try WireGuardTunnel(program, keys: Program())
            trial.close()
            wireGuard = program
            notes.append("wireguard-go: \(program.version)")
        } catch {
            wireGuard = nil
            notes.append("Without wireguard-go: \(Self.reason(error))")
        }
        ceiling = CeilingProbe()
        notes.append(
            ceiling.map { "Ceiling probe: \($0.path)" }
                ?? "Without the ceiling probe: CEILING does not name its run.sh.")
        self.notes = notes
    }

    private static func reason(_ error: LabError) -> String {
        if case .missingProgram = error { return "it is missing; 'make bench' fetches it if possible." }
        // It prints a box of many lines before the error.
        return error.description.split(separator: "\n").last.map(String.init) ?? ""
    }
}
