import Glibc

/// Where an interface's hardware is plugged in: its location below /sys/devices, which does not depend on the
/// interface's name or the order of detection.
package struct HardwarePath: Hashable, Sendable {
    /// The components, such as `pci0000:00`, `0000:00:14.0`, `usb1`, `1-1`, `1-1.4`, `1-1.4:1.0`.
    let parts: [Substring]

    /// The location of an interface; nil for a virtual one.
    /// - Parameter classes: the directory where the kernel describes interfaces.
    package init?(interface: String, classes: String = "/sys/class/net") {
        guard !interface.isEmpty, !interface.contains("/"),
            let resolved = realpath("\(classes)/\(interface)/device", nil)
        else { return nil }
        defer { free(resolved) }
        self.init(place: String(cString: resolved))
    }

    /// A location as sysfs writes it.
    init(place: String) {
        let parts = place.split(separator: "/")
        let start = parts.firstIndex(of: "devices").map { $0 + 1 } ?? 0
        self.parts = Array(parts[start...])
    }

    /// Whether `name` means this location: a run of its components (`1-1.4`, `0000:02:00.0`, `usb1/1-1/1-1.4`,
    /// or the whole path from sysfs), the bus info shown by `ethtool -i` (`usb-0000:00:14.0-1.4`), or udev's
    /// ID_PATH (`pci-0000:00:14.0-usb-0:1.4:1.0`).
    package func matches(_ name: String) -> Bool {
        if name == busInfo || name == pathID { return true }
        let wanted = HardwarePath(place: name).parts
        guard !wanted.isEmpty, wanted.count <= parts.count else { return false }
        return (0...parts.count - wanted.count).contains { Array(parts[$0..<$0 + wanted.count]) == wanted }
    }

    /// The bus info, or the last component if the bus has none.
    package var name: String { busInfo ?? parts.last.map(String.init) ?? "" }

    /// As written by Linux' usb_make_path, or a PCI function's address.
    var busInfo: String? {
        if let (controller, port) = usb { return "usb-\(controller)-\(port)" }
        return function.map(String.init)
    }

    /// As written by udev's path_id builtin.
    var pathID: String? {
        let root = function.map { "pci-\($0)" } ?? parts.first.map { "platform-\($0)" }
        guard usb != nil else { return function == nil ? nil : root }
        guard let root,
            let interface = parts.last(where: { $0.contains("-") && $0.contains(":") && !isFunction($0) }),
            let dash = interface.firstIndex(of: "-")
        else { return nil }
        return "\(root)-usb-0:\(interface[interface.index(after: dash)...])"
    }

    /// The USB controller, and the ports leading to the device, such as `1.4`.
    private var usb: (controller: Substring, port: Substring)? {
        guard
            let hub = parts.firstIndex(where: { part in
                part.hasPrefix("usb") && part.count > 3 && part.dropFirst(3).allSatisfy(\.isNumber)
            }), hub > 0,
            let device = parts[hub...].last(where: {
                $0.first?.isNumber == true && $0.contains("-") && !$0.contains(":")
            }),
            let dash = device.firstIndex(of: "-")
        else { return nil }
        return (parts[hub - 1], device[device.index(after: dash)...])
    }

    /// The last PCI function in the path.
    private var function: Substring? { parts.last(where: isFunction) }

    /// Whether a component has the form `0000:00:14.0`.
    private func isFunction(_ part: Substring) -> Bool {
        let fields = part.split(separator: ":", omittingEmptySubsequences: false)
        return fields.count == 3 && fields[0].count >= 4 && fields[1].count == 2 && fields[2].count == 4
            && fields[2].contains(".") && fields.joined().allSatisfy { $0.isHexDigit || $0 == "." }
    }
}
