import CLinux
import Glibc
import Settings

/// A POSIX access control list in the kernel's format (linux/posix_acl_xattr.h): a version, then entries of a
/// tag, permissions and a user or group ID.
struct AccessList {
    static let attribute = "system.posix_acl_access"
    static let (read, write, search): (UInt16, UInt16, UInt16) = (4, 2, 1)

    private struct Entry {
        var tag: UInt16
        var rights: UInt16
        var number: UInt32
    }

    private enum Tag {
        static let owner: UInt16 = 0x01
        static let user: UInt16 = 0x02
        static let group: UInt16 = 0x04
        static let namedGroup: UInt16 = 0x08
        static let mask: UInt16 = 0x10
        static let others: UInt16 = 0x20
    }

    private static let version: UInt32 = 2
    private static let nobody = UInt32.max
    private var entries: [Entry] = []

    /// The list of an open file, or the equivalent of its mode.
    init(of file: Int32, mode: mode_t) {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = clinux_get_attribute(file, Self.attribute, &bytes, bytes.count)
        self.init(count >= 12 ? Array(bytes[..<count]) : [], mode: mode)
    }

    /// Parses the kernel's format; without an attribute the list is the equivalent of the mode.
    init(_ bytes: [UInt8], mode: mode_t) {
        guard bytes.count >= 12 else {
            for (tag, shift) in [(Tag.owner, 6), (Tag.group, 3), (Tag.others, 0)] {
                entries.append(
                    Entry(tag: tag, rights: UInt16(mode >> mode_t(shift) & 7), number: Self.nobody))
            }
            return
        }
        bytes.withUnsafeBytes { bytes in
            for at in stride(from: 4, to: bytes.count - 7, by: 8) {
                entries.append(
                    Entry(
                        tag: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self)),
                        rights: UInt16(
                            littleEndian: bytes.loadUnaligned(fromByteOffset: at + 2, as: UInt16.self)),
                        number: UInt32(
                            littleEndian: bytes.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self))))
            }
        }
    }

    /// The kernel's format, with the entries in the order that it requires.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        func put(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        put(Self.version)
        for entry in entries.sorted(by: { ($0.tag, $0.number) < ($1.tag, $1.number) }) {
            put(entry.tag)
            put(entry.rights)
            put(entry.number)
        }
        return bytes
    }

    /// The permissions of a user with one group on a file of this owner and group (acl(5), "Access check algorithm").
    func rights(of account: Account, owner: UInt32, group: UInt32) -> UInt16 {
        if account.user == owner { return rights(Tag.owner) }
        let mask = entries.first { $0.tag == Tag.mask }?.rights ?? 7
        if let own = entries.first(where: { $0.tag == Tag.user && $0.number == account.user }) {
            return own.rights & mask
        }
        var ofGroups: [UInt16] = []
        if account.group == group { ofGroups.append(rights(Tag.group)) }
        ofGroups += entries.filter { $0.tag == Tag.namedGroup && $0.number == account.group }.map(\.rights)
        return ofGroups.isEmpty ? rights(Tag.others) : ofGroups.reduce(0, |) & mask
    }

    /// Adds permissions for a user, and to the mask.
    mutating func grant(_ rights: UInt16, to user: UInt32) {
        if let index = entries.firstIndex(where: { $0.tag == Tag.user && $0.number == user }) {
            entries[index].rights |= rights
        } else {
            entries.append(Entry(tag: Tag.user, rights: rights, number: user))
        }
        if let index = entries.firstIndex(where: { $0.tag == Tag.mask }) {
            entries[index].rights |= rights
        } else {
            entries.append(Entry(tag: Tag.mask, rights: self.rights(Tag.group) | rights, number: Self.nobody))
        }
    }

    private func rights(_ tag: UInt16) -> UInt16 { entries.first { $0.tag == tag }?.rights ?? 0 }
}
