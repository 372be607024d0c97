import Foundation
import Lab

/// What the tunnel is compared with, as far as it can be had here.
struct Rivals {
    /// `wireguard-go`, nil when it is not there or does not run.
    let wireGuard: WireGuardProgram?
    /// The ceiling probe, nil when the environment names none.
    let ceiling: CeilingProbe?
    /// What is there and what is not, and why, in a sentence each.
    let notes: [String]

    /// Looks for them, and tries whether wireguard-go runs.
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
        if case .missingProgram = error { return "it is not there; 'make bench' fetches it where it can." }
        // It greets with a box of many lines before it says what is wrong.
        return error.description.split(separator: "\n").last.map(String.init) ?? ""
    }
}
