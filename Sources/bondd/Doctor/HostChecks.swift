import CLinux
import Commands
import Glibc
import Host
import Packet
import Settings
import Transport
import Tun

/// The configuration and the key files named in it.
struct FileCheck: HostCheck {
    func findings(_ examination: Examination) -> [Finding] {
        do throws(ConfigurationError) {
            let configuration = try Configuration(reading: examination.file, keys: .check)
            let role = examination.server == nil ? "client" : "server"
            let ok = Finding.ok("config", "\(examination.file) is valid (\(role)), and its keys can be read")
            // A running daemon reports the same notices in its status.
            let notices = examination.status == nil ? configuration.notices : []
            return [ok] + notices.map { .told("config", .warn, $0) }
        } catch {
            return [.told("config", .fail, error.description)]
        }
    }
}

/// The TUN device and its name.
struct TunCheck: HostCheck {
    func findings(_ examination: Examination) -> [Finding] {
        guard examination.status == nil else { return [.ok("tun", "\(examination.tunnel) exists")] }
        guard examination.isRoot else { return [.warn("tun", "not tried", "run this as root")] }
        if let taken = examination.facts.interface(named: examination.tunnel), taken.kind == "tun" {
            return [
                .fail(
                    "tun", "\(taken.name) exists, and no bondd answers: another program has it",
                    "find that program with fuser -v /dev/net/tun, or set another [tunnel] interface")
            ]
        }
        do throws(TunError) {
            // A name that no other program uses.
            _ = try TunDevice(name: "bonddr\(getpid() % 100_000)", offloads: [])
            return [.ok("tun", "a TUN device can be created")]
        } catch {
            return [.told("tun", .fail, error.description)]
        }
    }
}

/// A server's UDP ports, while bondd does not run.
struct ListenCheck: HostCheck {
    func findings(_ examination: Examination) -> [Finding] {
        guard let server = examination.server, examination.status == nil else { return [] }
        return server.listen.map { endpoint in
            let any = endpoint.address == IPAddress(v4: 0) || endpoint.address == IPAddress(v6High: 0, low: 0)
            do throws(TransportError) {
                _ = try DatagramSocket(
                    boundTo: nil, family: endpoint.address.family, address: any ? nil : endpoint.address,
                    port: endpoint.port, wantsOffloads: false)
                return .ok("listen", "UDP \(endpoint) is free")
            } catch {
                return .told("listen", .fail, "can't listen on \(endpoint): \(error.description)")
            }
        }
    }
}

/// The system clock: handshakes need a clock that advances, invitations and monthly caps one that is right.
struct ClockCheck: HostCheck {
    func findings(_ examination: Examination) -> [Finding] {
        [Self.judge(seconds: time(nil), isSynchronised: clinux_clock_is_synchronised() != 0)]
    }

    /// 2025-01-01: bondd did not exist before.
    private static let earliest = 1_735_689_600

    static func judge(seconds: Int, isSynchronised: Bool) -> Finding {
        let remedy = "synchronize it: timedatectl set-ntp true, or install chrony"
        guard seconds >= earliest else {
            return .fail("clock", "it is wrong by years, and so are invitations and monthly caps", remedy)
        }
        return isSynchronised
            ? .ok("clock", "it is synchronized")
            : .warn("clock", "nothing synchronizes it (adjtimex)", remedy)
    }
}

/// The state directory.
struct StateDirectoryCheck: HostCheck {
    func findings(_ examination: Examination) -> [Finding] {
        let path = examination.stateDirectory
        guard access(path, F_OK) == 0 else {
            return [
                .warn(
                    "state", "\(path) does not exist",
                    "bondd creates it if it can; otherwise: mkdir -p \(path)")
            ]
        }
        guard examination.isRoot else { return [.warn("state", "not tried", "run this as root")] }
        let file = "\(path)/.doctor.\(getpid())"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        var code = descriptor < 0 ? errno : 0
        if descriptor >= 0 {
            // One block, because an empty file takes no space.
            let block = [UInt8](repeating: 0, count: 4096)
            if write(descriptor, block, block.count) != block.count || fsync(descriptor) != 0 {
                code = errno == 0 ? ENOSPC : errno
            }
            close(descriptor)
            unlink(file)
        }
        var facts = statvfs()
        let free = statvfs(path, &facts) == 0 ? UInt64(facts.f_bavail) * UInt64(facts.f_frsize) : nil
        return [Self.judge(path, errno: code, free: free)]
    }

    /// - Parameters:
    ///   - code: errno of the write; 0 if it succeeded.
    ///   - free: free space in bytes.
    static func judge(_ path: String, errno code: Int32, free: UInt64?) -> Finding {
        let room = free.map { ", \(StatusTable.bytes($0)) free" } ?? ""
        switch code {
        case 0 where (free ?? .max) < 10 << 20:
            return .warn(
                "state", "the disk of \(path) is almost full\(room)",
                "free some space; keys, caps and clients are kept there")
        case 0: return .ok("state", "\(path) can be written\(room)")
        case ENOSPC, EDQUOT:
            return .fail(
                "state", "the disk of \(path) is full",
                "free some space; keys, caps and clients are kept there")
        default:
            return .fail(
                "state", "\(path) can't be written: \(String(cString: strerror(code)))",
                "check its owner (root), and that the file system is not read-only")
        }
    }
}

/// A kill switch that is on while no daemon runs: it cuts the host off.
struct KillSwitchCheck: HostCheck {
    func findings(_ examination: Examination) -> [Finding] {
        guard examination.isRoot, let socket = try? FirewallSocket(), let tunnels = try? socket.killSwitches()
        else { return [] }
        return Self.judge(tables: tunnels.map(\.interface), isRunning: examination.status != nil)
    }

    static func judge(tables: [String], isRunning: Bool) -> [Finding] {
        if tables.isEmpty { return [] }
        if isRunning { return [.ok("killswitch", "is on (\(tables.joined(separator: ", ")))")] }
        return [
            .fail(
                "killswitch",
                "is on (\(tables.joined(separator: ", "))) and bondd does not run: nothing leaves this host",
                "systemctl start bondd, or lift it: bondd unlock")
        ]
    }
}
