"""The control plane as Portunus 3.1.0 behaves, where that matters to a client: written from facts about its behavior.

Kept in its database: rules with a state (pending, active, failed), and quotas with their usage. Kept only in memory, so that
`restart` loses it: the last figures of each rule, whose differences are added up. Numbers count from 0, and after a restart from
the highest that is left, so that they are reused. Quotas are announced when they are set, and once when they are exhausted, and
never to a session that begins. A session is only told the active rules, and each is pending until it is answered. Temporary
rejections and sessions that end carry no specific error."""

import itertools
import threading

SET, REMOVE = 1, 2


class Genuine:
    def __init__(self, say, parse):
        self.say, self.parse, self.lock = say, parse, threading.RLock()
        self.rules, self.states, self.quotas, self.limits = {}, {}, {}, {}
        self.previous, self.totals, self.next = {}, {}, 0
        self.requests, self.rejections = itertools.count(1), []

    # Messages to a session.

    def replay(self):
        """After Welcome: the active rules in ascending order, then owners' limits; no quotas."""
        with self.lock:
            numbers = sorted(number for number, state in self.states.items() if state == "active")
            for number in numbers:
                self.states[number] = "pending"
            return [self.push(number) for number in numbers] + [self.limit(owner) for owner in self.limits]

    def push(self, number):
        return self.update("PUSH", self.rules[number])

    def update(self, action, rule):
        return self.parse({"rule_update": {
            "request_id": f"genuine-{next(self.requests)}", "action": action, "rule": rule}})

    def limit(self, owner):
        return self.parse({"owner_rate_limit_update": {
            "owner_id": owner, "action": "OWNER_SET", "rate_limit": self.limits[owner]}})

    def quota(self, owner):
        quota = self.quotas[owner]
        left = quota["monthly"] - quota["used"]
        return self.parse({"traffic_quota_update": {
            "user_id": owner, "action": "QUOTA_SET",
            "state": {
                "monthly_bytes": quota["monthly"], "budget_remaining_bytes": left,
                "period_started_at_unix_sec": quota["begins"], "period_ends_at_unix_sec": quota["ends"],
                "exhausted": quota["exhausted"]}}})

    # Messages from a session.

    def receive_status(self, status, pushed):
        """An answer to a push, or to none: the latter moves a pending rule, too."""
        outcome = {1: "active", 2: "failed"}.get(status.outcome)
        with self.lock:
            if pushed is None:
                known = self.states.get(status.rule_id)
                self.say(event="unsolicited", rule=status.rule_id, outcome=outcome, known=known)
                if known != "pending":
                    return
            if outcome and status.rule_id in self.states:
                self.states[status.rule_id] = outcome

    def receive_report(self, report, session):
        for stats in report.stats:
            key = stats.rule_id
            with self.lock:
                if key not in self.rules:
                    self.say(event="ghost", rule=key)
                    continue
                before = self.previous.get(key, (0, 0))
                delta = sum(max(0, now - was) for now, was in zip((stats.bytes_in, stats.bytes_out), before))
                self.previous[key] = (stats.bytes_in, stats.bytes_out)
                self.totals[key] = self.totals.get(key, 0) + delta
                self.say(event="usage", rule=key, delta=delta, total=self.totals[key])
                quota = self.quotas.get(self.rules[key].get("owner_id"))
                if quota is None:
                    continue
                quota["used"] += delta
                if quota["used"] >= quota["monthly"] and not quota["exhausted"]:
                    quota["exhausted"] = True
                    session.send(self.quota(self.rules[key]["owner_id"]))

    def rejection(self):
        """The error with which the next session is refused although its token is valid; None if it is accepted."""
        with self.lock:
            return self.rejections.pop(0) if self.rejections else None

    # Actions of its operators.

    def obey(self, command, sessions):
        """Carries out a command, if it is one of these."""
        def send(message):
            for session in sessions():
                session.send(message)
        with self.lock:
            match command["do"]:
                case "create":
                    number, self.next = self.next, self.next + 1
                    rule = {"rule_id": number, "protocol": "TCP", "owner_id": "_superadmin"} | command["rule"]
                    if rule.get("targets"):
                        rule |= {"target_host": rule["targets"][0]["host"], "target_port": rule["targets"][0]["port"]}
                    self.rules[number], self.states[number] = rule, "pending"
                    send(self.push(number))
                    self.say(event="created", rule=number)
                case "delete":
                    rule = self.rules.pop(command["rule"])
                    del self.states[command["rule"]]
                    send(self.update("REMOVE", rule | {"protocol": "TCP"}))
                case "lose":  # the answer to a rule's push
                    self.states[command["rule"]] = "pending"
                case "restart":
                    self.previous, self.next = {}, max(self.rules, default=-1) + 1
                    for session in sessions():
                        session.outbox.put(None)
                case "quota":
                    quota = self.quotas.setdefault(command["owner"], {"used": 0})
                    quota |= {"monthly": command["monthly"], "begins": command["begins"], "ends": command["ends"]}
                    quota["exhausted"] = quota["used"] >= quota["monthly"]
                    send(self.quota(command["owner"]))
                case "unquota":
                    self.quotas.pop(command["owner"], None)
                    send(self.parse({"traffic_quota_update": {"user_id": command["owner"], "action": "QUOTA_REMOVE"}}))
                case "limit":
                    self.limits[command["owner"]] = command["limit"]
                    send(self.limit(command["owner"]))
                case "reject":
                    self.rejections += [command["message"]] * command["count"]
                case "states":
                    self.say(event="states", states={str(number): state for number, state in self.states.items()})
                case _:
                    return False
        return True
