import Dispatch
import Glibc
import Portunus
import Runtime
import Settings
import Synchronization

/// The connection to the control plane whose rules a service plane carries: there is one as soon as there is a bundle.
public final class PlaneLink: Sendable {
    /// The bundle's file in the state's directory.
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

    /// - Parameter directory: the state's.
    public init(services: ServicePlane, directory: String, log: Log) {
        self.services = services
        self.directory = directory
        self.log = log
        file = Mutex(directory + "/" + Self.fileName)
    }

    /// Connects when there is a bundle, to another control plane when it is another bundle.
    /// - Parameter bundleFile: where the configuration keeps it; nil: in the state's directory.
    public func start(bundleFile: String?) {
        let path = bundleFile ?? directory + "/" + Self.fileName
        file.withLock { $0 = path }
        guard access(path, F_OK) == 0 || errno != ENOENT else {
            if bundleFile != nil {
                tell("the bundle file \(path) is not there yet; make it with: bondd portunus enroll URI")
            }
            return
        }
        do throws(PortunusError) {
            connect(with: try Bundle(reading: path))
        } catch {
            tell(error.description)
        }
    }

    /// Becomes a client of the control plane that the URI names, and takes its rules from then on.
    /// - Returns: what went wrong, a sentence; nil when nothing did.
    public func enrol(_ text: String) -> String? {
        let path = file.withLock { $0 }
        if let problem = Self.problem(writing: path) { return problem }
        do throws(PortunusError) {
            let bundle = try Self.redeem(try EnrolmentURI(text))
            try bundle.write(to: path)
            connect(with: bundle)
            log(.info, "this server is a control plane's client now", ["endpoint": bundle.endpoint])
            return nil
        } catch {
            return error.description
        }
    }

    /// Ends the connection; what is carried goes on.
    public func stop() { current.withLock { $0?.plane.stop() } }

    /// Why there is no control plane.
    private func tell(_ problem: String) {
        log(.error, problem)
        services.miss(because: problem)
    }

    private func connect(with bundle: Bundle) {
        current.withLock { current in
            // One that was given up is tried again: a reload may follow a repair at the control plane.
            if let current, current.bundle == bundle, !current.plane.isOver { return }
            current?.plane.stop()
            services.begin(with: bundle)
            let plane = ControlPlane(
                bundle: bundle, keeper: services, log: log, after: current?.plane)
            current = Current(bundle: bundle, plane: plane)
            plane.start()
        }
    }

    /// A code can be redeemed once: what would keep its fruit from being stored must be known before.
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
            "bondd-control can't write \(path) (\(String(cString: strerror(code)))), so that the code was not used; leave bundle_file out of [portunus], and it is kept in bondd-control's state"
    }

    private static func redeem(_ uri: EnrolmentURI) throws(PortunusError) -> Bundle {
        let outcome = Mutex<Result<Bundle, PortunusError>>(.failure(.badAnswer("there was none")))
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
