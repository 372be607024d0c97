import CLinux
import Glibc
import Runtime
import Settings

/// Keeps keys where they are: in memory, and in this process's alone.
package enum MemoryProtection {
    /// Keeps all of the process's memory, that to come included, out of core dumps, of swap, and of processes
    /// without CAP_SYS_PTRACE. To be called before the first key is read.
    package static func begin(_ log: Log) {
        var code = clinux_forbid_dumps()
        if code < 0 {
            log(
                .warning,
                "keys may end up in a core dump: the kernel refuses PR_SET_DUMPABLE (\(reason(code)))")
        }
        code = clinux_lock_memory()
        // In a container the usual limit can't be lifted; hosts without swap lose nothing by it.
        if code < 0 {
            log(
                .info,
                "memory with keys is not kept out of swap (\(reason(code))); set LimitMEMLOCK=infinity (ulimit -l unlimited), or turn swap off"
            )
        }
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(-code)) }
}
