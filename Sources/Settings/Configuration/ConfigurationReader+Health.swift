import Glibc
import Packet

extension ConfigurationReader {
    /// `[health]`
    func health() throws(ConfigurationError) -> Configuration.Health? {
        guard let table = try root.table("health", keys: ["listen", "token_file"]) else { return nil }
        guard let text = try table.string("listen") else {
            throw table.error("needs listen = \"127.0.0.1:8098\"")
        }
        guard let listen = Endpoint(text), listen.port > 0 else {
            throw table.error("listen", table["listen"]!, "is not ADDRESS:PORT such as 127.0.0.1:8098")
        }
        let tokenFile = try table.string("token_file").map { relative($0) }
        guard tokenFile != nil || listen.address.isLoopback else {
            throw table.error(
                "listen", table["listen"]!,
                "can be reached from elsewhere; add token_file = \"FILE\" with a token in it, or listen on 127.0.0.1"
            )
        }
        if keys != .read, let tokenFile, access(tokenFile, F_OK) != 0, errno == ENOENT {
            throw table.error(
                "token_file", table["token_file"]!,
                "does not exist; make one with: (umask 027; head -c 24 /dev/urandom | base64 > \(tokenFile))")
        }
        return Configuration.Health(listen: listen, tokenFile: tokenFile)
    }
}
