extension FirewallSocket {
    /// The tables of kill switches that are on, of all tunnels of this host, whether a daemon runs or not.
    public borrowing func killSwitches() throws(ControlError) -> [String] {
        try inetTables().filter { FirewallTable.killSwitchInterface($0) != nil }
    }
}
