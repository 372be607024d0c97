import CLinux
import Glibc
import Runtime
import Settings

/// Keeps keys in memory, and in this process only.
package enum MemoryProtection {
    /// Keeps all of the process's memory, present and future, out of core dumps, out of swap, and from
    /// processes without CAP_SYS_PTRACE. Called before the first key is read.
    package static func begin(_ log: Log) {
        var code = clinux_forbid_dumps()
        if code < 0 {
            log(
                .warning,
                "keys may end up in a core dump: the kernel refuses PR_SET_DUMPABLE (\(reason(code)))")
        }
        code = clinux_lock_memory()
        // In a container the usual limit can't be raised; hosts without swap lose nothing.
        if code < 0 {
            log(
                .info,
                "memory with keys is not kept out of swap (\(reason(code))); set LimitMEMLOCK=infinity (ulimit -l unlimited), or turn swap off"
            )
        }
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(-code)) }
}
