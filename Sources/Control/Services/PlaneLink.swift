import Dispatch
import Glibc
import Portunus
import Runtime
import Settings
import Synchronization

/// The connection to the control plane whose rules a service plane carries, established as soon as there is a
/// bundle.
package final class PlaneLink: Sendable {
    /// The name of the bundle's file in the state directory.
    static let fileName = "portunus.bundle.json"

    private struct Current {
        var bundle: Bundle
        var plane: ControlPlane
    }

    private let services: ServicePlane
    private let directory: String
    private let log: Log
    private let file: Mutex<String>
    private let current = Mutex<Current?>(nil)

    /// - Parameter directory: the state directory.
    package init(services: ServicePlane, directory: String, log: Log) {
        self.services = services
        self.directory = directory
        self.log = log
        file = Mutex(directory + "/" + Self.fileName)
    }

    /// Connects if there is a bundle, and reconnects if the bundle has changed.
    /// - Parameter bundleFile: the bundle's path from the configuration; nil means the state directory.
    package func start(bundleFile: String?) {
        let path = bundleFile ?? directory + "/" + Self.fileName
        file.withLock { $0 = path }
        guard access(path, F_OK) == 0 || errno != ENOENT else {
            if bundleFile != nil {
                tell("the bundle file \(path) does not exist yet; create it with: bondd portunus enroll URI")
            }
            return
        }
        do throws(PortunusError) {
            connect(with: try Bundle(reading: path))
        } catch {
            tell(error.description)
        }
    }

    /// Enrols with the control plane named by the URI, and follows its rules from then on.
    /// - Returns: a sentence about the problem; nil on success.
    package func enrol(_ text: String) -> String? {
        let path = file.withLock { $0 }
        if let problem = Self.problem(writing: path) { return problem }
        do throws(PortunusError) {
            let bundle = try Self.redeem(try EnrolmentURI(text))
            try bundle.write(to: path)
            connect(with: bundle)
            log(.info, "enrolled with the control plane", ["endpoint": bundle.endpoint])
            return nil
        } catch {
            return error.description
        }
    }

    /// Closes the connection; rules in force stay in force.
    package func stop() { current.withLock { $0?.plane.stop() } }

    /// Reports why there is no control plane.
    private func tell(_ problem: String) {
        log(.error, problem)
        services.miss(because: problem)
    }

    private func connect(with bundle: Bundle) {
        current.withLock { current in
            // A connection that was given up is tried again: a reload may follow a repair at the control plane.
            if let current, current.bundle == bundle, !current.plane.isOver { return }
            current?.plane.stop()
            services.begin(with: bundle)
            let plane = ControlPlane(
                bundle: bundle, keeper: services, log: log, after: current?.plane)
            current = Current(bundle: bundle, plane: plane)
            plane.start()
        }
    }

    /// Why the bundle could not be stored. A code can be redeemed only once, so this is checked before
    /// redeeming it.
    private static func problem(writing path: String) -> String? {
        let probe = path + ".check"
        let file = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        let code = errno
        if file >= 0 {
            close(file)
            unlink(probe)
            return nil
        }
        if code == EEXIST {
            unlink(probe)
            return nil
        }
        return
            "bondd-control can't write \(path) (\(String(cString: strerror(code)))), so the code was not used; remove bundle_file from [portunus] to keep the bundle in bondd-control's state"
    }

    private static func redeem(_ uri: EnrolmentURI) throws(PortunusError) -> Bundle {
        let outcome = Mutex<Result<Bundle, PortunusError>>(.failure(.badAnswer("there was no answer")))
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            do throws(PortunusError) {
                let bundle = try await Enrolment.redeem(uri)
                outcome.withLock { $0 = .success(bundle) }
            } catch {
                outcome.withLock { $0 = .failure(error) }
            }
            done.signal()
        }
        done.wait()
        return try outcome.withLock { $0 }.get()
    }
}
