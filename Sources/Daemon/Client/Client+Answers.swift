import Host

// Replies to packets that arrive on an uplink leave by the same uplink.
extension Client {
    /// Numbers the uplinks of a plan, one number for each interface, and has the firewall mark packets that
    /// arrive on them.
    func leadAnswers(_ plan: inout RoutingPlan) {
        guard let firewall = shared.firewall else { return }
        guard !firewall.wantsKillSwitch else {
            firewall.follow(uplinks: [])
            return
        }
        let numbers = ReturnMark.numbers(of: plan.paths.map(\.interface))
        var uplinks: [ReturnUplink] = []
        for index in plan.paths.indices {
            let path = plan.paths[index]
            guard let number = numbers[path.interface], !uplinks.contains(where: { $0.number == number })
            else {
                continue
            }
            plan.paths[index].number = number
            uplinks.append(ReturnUplink(name: path.name, number: number, addresses: path.addresses))
        }
        firewall.follow(uplinks: uplinks)
    }
}
