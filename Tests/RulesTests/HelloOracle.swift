import Rules

/// A simple reader of complete prefixes of connections: removes the records first, then parses the message by
/// its grammar.
struct HelloOracle {
    private enum Stop: Error { case short, bad }

    private var message: [UInt8] = []
    private var position = 0
    private var isBroken = false

    static func reading(_ bytes: [UInt8]) -> ClientHello.Reading {
        var oracle = HelloOracle()
        let isLong = bytes.count >= ClientHello.maximumSize
        oracle.unpack(Array(bytes.prefix(ClientHello.maximumSize)))
        do {
            return .name(try oracle.parse())
        } catch {
            return error == .bad || oracle.isBroken || isLong ? .notTLS : .needsMore
        }
    }

    private mutating func unpack(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let header = Array(rest.prefix(5))
            isBroken =
                header[0] != 22 || header.count > 1 && header[1] != 3 || header.count > 2 && header[2] > 4
            guard !isBroken, header.count == 5 else { return }
            let size = Int(header[3]) * 256 + Int(header[4])
            isBroken = size == 0 || size > 16384
            guard !isBroken else { return }
            message += rest.dropFirst(5).prefix(size)
            rest = rest.dropFirst(5 + size)
        }
    }

    private mutating func number(_ width: Int, _ room: inout Int) throws(Stop) -> Int {
        try claim(width, of: &room).reduce(0) { $0 * 256 + Int($1) }
    }

    private mutating func claim(_ size: Int, of room: inout Int) throws(Stop) -> [UInt8] {
        guard size <= room else { throw .bad }
        room -= size
        guard position + size <= message.count else {
            position = message.count
            throw .short
        }
        defer { position += size }
        return Array(message[position..<position + size])
    }

    private mutating func parse() throws(Stop) -> String? {
        var room = 4
        guard try number(1, &room) == 1 else { throw .bad }
        room = try number(3, &room)
        _ = try claim(34, of: &room)
        let session = try number(1, &room)
        guard session <= 32 else { throw .bad }
        _ = try claim(session, of: &room)
        let suites = try number(2, &room)
        guard suites >= 2, suites.isMultiple(of: 2) else { throw .bad }
        _ = try claim(suites, of: &room)
        let methods = try number(1, &room)
        guard methods >= 1 else { throw .bad }
        _ = try claim(methods, of: &room)
        if room == 0 { return nil }
        guard try number(2, &room) == room else { throw .bad }
        while room > 0 {
            let type = try number(2, &room)
            let size = try number(2, &room)
            guard type == 0 else {
                _ = try claim(size, of: &room)
                continue
            }
            guard size >= 5, size <= room else { throw .bad }
            if let name = try serverName(size, &room) { return name }
        }
        return nil
    }

    private mutating func serverName(_ size: Int, _ room: inout Int) throws(Stop) -> String? {
        var list = size - 2
        guard try number(2, &room) == list else { throw .bad }
        while list > 0 {
            guard list >= 3 else { throw .bad }
            let type = try number(1, &room)
            let length = try number(2, &room)
            list -= 3
            guard length <= list, type != 0 || (1...254).contains(length) else { throw .bad }
            list -= length
            if type != 0 {
                _ = try claim(length, of: &room)
                continue
            }
            var name: [UInt8] = []
            for _ in 0..<length {
                let byte = try claim(1, of: &room)[0]
                guard byte > 32, byte < 127 else { throw .bad }
                name.append(byte)
            }
            return String(decoding: name, as: UTF8.self).lowercased()
        }
        return nil
    }
}
