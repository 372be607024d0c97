import Runtime

extension Thread {
    /// Starts a thread of the lab called `name`, at most 15 bytes, that runs `body`. Throws `system`.
    static func ofLab(_ name: String, _ body: @escaping @Sendable () -> Void) throws(LabError) -> Thread {
        do throws(RuntimeError) {
            return try start(name: name, body)
        } catch {
            throw .system(call: "pthread_create", errno: error.code)
        }
    }
}
