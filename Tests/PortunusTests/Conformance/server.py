"""server.py --certificate FILE --key FILE [--host HOST] [--port PORT] [--token TOKEN] [--genuine]

A control plane for tests, written from the contract. It takes commands as JSON lines on stdin, {"do": …}, and reports events as
JSON lines on stdout, {"event": …}; a violation of the contract is an event "fault". It ends when stdin does.

Commands (a message is a ServerMessage in protobuf's JSON):
  replay {messages}              sent to each session after its Welcome (or with a Welcome among them, then no other)
  send {message}                 to the newest session
  raw {hex}                      the same with arbitrary bytes
  bulk {first, count}            pushes this many rules at once; reports when all are answered
  end, abort {code, message}     ends the newest session, without or with an error
  tokens {tokens}                token → client id; sessions whose token is missing are revoked
  code {code, error, message, bundle}    the result of enrolling with that code
  silent {on}                    sessions get no Welcome
  freeze, cut                    see door.py

With --genuine it behaves like Portunus 3.1.0 (genuine.py): rules, quotas and limits are kept, and these commands change them:
  create {rule}, delete {rule}, lose {rule}     a rule; its number is reported ("created"); the answer to its last push is lost
  restart                        loses everything kept only in memory, and ends sessions accordingly
  quota {owner, monthly, begins, ends}, unquota {owner}, limit {owner, limit}
  reject {message, count}        this many sessions are refused as unauthenticated, for a temporary fault
  states                         reports the states of rules
"""

import argparse
import itertools
import json
import os
import queue
import re
import sys
import threading
import time
from concurrent import futures

# Some tests cause failing handshakes on purpose.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
from google.protobuf import json_format

from door import Door
from genuine import Genuine
from wire import message

ServerMessage, ClientMessage = message("ServerMessage"), message("ClientMessage")
_output = threading.Lock()


def say(**what):
    with _output:
        print(json.dumps(what), flush=True)


def fault(reason):
    say(event="fault", reason=reason)


class Session:
    """One stream. `outbox` queues outgoing data: bytes, or an end (None, or a pair of code and message)."""

    numbers = itertools.count(1)

    def __init__(self, client, token, genuine=None):
        self.genuine = genuine
        self.number, self.client, self.token = next(self.numbers), client, token
        self.outbox, self.pushed, self.lock = queue.Queue(), {}, threading.Lock()
        self.bulk, self.last_report, self.rules = None, None, set()

    def send(self, bytes_or_message):
        data = bytes_or_message
        if not isinstance(data, bytes):
            update = data.rule_update
            if data.WhichOneof("payload") == "rule_update" and update.action in (1, 2):
                with self.lock:
                    self.pushed[update.request_id] = (time.monotonic(), update.rule.rule_id, update.action)
            data = data.SerializeToString()
        self.outbox.put(data)

    def start_bulk(self, first, count):
        self.bulk = {"left": count, "slowest": 0.0, "outcomes": {}, "began": time.monotonic()}
        for number in range(first, first + count):
            self.send(json_format.ParseDict({"rule_update": {
                "request_id": f"bulk-{number}", "action": "PUSH",
                "rule": {"rule_id": number, "listen_port": number, "protocol": "TCP", "target_host": "10.77.0.2",
                         "target_port": 80, "owner_id": "o"}}}, ServerMessage()))

    def receive(self, data):
        kind = data.WhichOneof("payload")
        if kind == "rule_status":
            self.receive_status(data.rule_status)
        elif kind == "stats_report":
            self.receive_report(data.stats_report)
        else:
            fault(f"a {kind} in the middle of a session")

    def receive_status(self, status):
        with self.lock:
            pushed = self.pushed.pop(status.request_id, None)
        if self.genuine:
            self.genuine.receive_status(status, pushed)
        if pushed is None:
            # A rule in force may be reported as active without a request.
            if not status.request_id and status.outcome == 1:
                return say(event="told", session=self.number, rule=status.rule_id)
            return fault(f"an answer that nobody waits for, or another one, to {status.request_id}")
        took = (time.monotonic() - pushed[0]) * 1000
        if pushed[1] != status.rule_id:
            fault(f"an answer of rule {status.rule_id} to one of {pushed[1]}")
        if took > 2000:
            fault(f"an answer after {took:.0f} ms")
        outcome = {1: "ACTIVATED", 2: "FAILED", 3: "REMOVED"}.get(status.outcome, str(status.outcome))
        if outcome == "REMOVED" and pushed[2] != 2 or outcome == "ACTIVATED" and pushed[2] != 1:
            fault(f"{outcome} to action {pushed[2]}")
        if (outcome == "FAILED") != bool(status.reason):
            fault(f"{outcome} with reason '{status.reason}'")
        if self.bulk and status.request_id.startswith("bulk-"):
            bulk = self.bulk
            bulk["left"] -= 1
            bulk["slowest"] = max(bulk["slowest"], took)
            bulk["outcomes"][outcome] = bulk["outcomes"].get(outcome, 0) + 1
            if bulk["left"] == 0:
                say(event="bulk", outcomes=bulk["outcomes"], slowest_ms=bulk["slowest"],
                    took_ms=(time.monotonic() - bulk["began"]) * 1000)
            return
        say(event="status", session=self.number, request=status.request_id, rule=status.rule_id, outcome=outcome,
            reason=status.reason, ms=took)

    def receive_report(self, report):
        now = time.monotonic()
        since = None if self.last_report is None else (now - self.last_report) * 1000
        self.last_report = now
        if not report.stats:
            fault("a report without rules")
        if abs(report.sent_at_unix_ms - time.time() * 1000) > 5000:
            fault("a report of another time")
        if self.genuine:
            self.genuine.receive_report(report, self)
        say(event="stats", session=self.number, since_ms=since,
            report=json_format.MessageToDict(report, preserving_proto_field_name=True))


class Plane:
    """The control plane's state, and its sessions: one for each client."""

    def __init__(self, tokens, genuine=None):
        self.genuine = genuine
        self.tokens, self.codes, self.messages, self.sessions = tokens, {}, [], {}
        self.newest, self.silent, self.lock = None, False, threading.Lock()

    def identify(self, context):
        bearer = dict(context.invocation_metadata()).get("authorization")
        if bearer is None:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "missing_token")
        if not bearer.startswith("Bearer "):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "malformed_token")
        token = bearer.removeprefix("Bearer ")
        if token not in self.tokens:
            say(event="rejected")
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "token_not_found")
        if self.genuine and (message := self.genuine.rejection()):
            say(event="rejected")
            context.abort(grpc.StatusCode.UNAUTHENTICATED, message)
        return token

    def channel(self, requests, context):
        token = self.identify(context)
        session = Session(self.tokens[token], token, self.genuine)
        # No headers are sent before the client's first message has arrived: gRPC sends them with the first answer.
        began = time.monotonic()
        hello = next(requests, None)
        waited = (time.monotonic() - began) * 1000
        if hello is None or hello.WhichOneof("payload") != "hello":
            return fault("a session that does not begin with Hello")
        self.check(hello.hello)
        with self.lock:
            older = self.sessions.get(session.client)
            self.sessions[session.client] = self.newest = session
        if older:
            older.outbox.put(None)
        say(event="session", number=session.number, client=session.client, hello_ms=waited,
            version=hello.hello.client_version, peer=context.peer())
        if not self.silent:
            if not any(each.WhichOneof("payload") == "welcome" for each in self.messages):
                session.send(json_format.ParseDict({"welcome": {
                    "server_version": "3.1.0", "server_time_unix_ms": int(time.time() * 1000)}}, ServerMessage()))
            for each in self.messages + (self.genuine.replay() if self.genuine else []):
                session.send(each)
        threading.Thread(target=self.read, args=(session, requests), daemon=True).start()
        while True:
            data = session.outbox.get()
            if isinstance(data, bytes):
                yield data
                continue
            self.forget(session)
            if data is not None:
                context.abort(*data)
            return

    def forget(self, session):
        with self.lock:
            if self.sessions.get(session.client) is session:
                del self.sessions[session.client]

    def read(self, session, requests):
        try:
            for data in requests:
                session.receive(data)
        except Exception:  # gRPC's, of a stream that broke
            pass
        say(event="closed", session=session.number, unanswered=len(session.pushed))
        session.outbox.put(None)

    def check(self, hello):
        if hello.protocol_version != "1.0.0":
            fault(f"protocol_version {hello.protocol_version}")
        match = re.fullmatch(r"(\d+)\.(\d+)\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", hello.client_version)
        if not match or (int(match[1]), int(match[2])) < (1, 4):
            fault(f"client_version {hello.client_version}")
        if sorted(hello.supported_protocols) != [1, 2]:
            fault(f"supported_protocols {list(hello.supported_protocols)}")

    def enroll(self, request, context):
        bearer = "authorization" in dict(context.invocation_metadata())
        say(event="enrol", bearer=bearer, known=request.code in self.codes)
        answer = self.codes.get(request.code, {"error": "UNAUTHENTICATED", "message": "enrollment_invalid"})
        if "error" in answer:
            context.abort(grpc.StatusCode[answer["error"]], answer["message"])
        # Can be used once. An earlier token of this client is revoked, and its session ends.
        self.codes[request.code] = {"error": "UNAUTHENTICATED", "message": "enrollment_used"}
        bundle = json_format.ParseDict(answer["bundle"], message("CredentialBundle")())
        tokens = {token: client for token, client in self.tokens.items() if client != bundle.client_id}
        self.set_tokens(tokens | {bundle.token: bundle.client_id})
        return bundle

    def set_tokens(self, tokens):
        self.tokens = tokens
        for session in list(self.sessions.values()):
            if session.token not in tokens:
                session.outbox.put(
                    None if self.genuine else (grpc.StatusCode.UNAUTHENTICATED, "token_revoked"))

    def obey(self, command, door):
        def sessions():
            with self.lock:
                return list(self.sessions.values())
        if self.genuine and self.genuine.obey(command, sessions):
            return say(event="done", command=command["do"])
        match command["do"]:
            case "replay":
                self.messages = [json_format.ParseDict(each, ServerMessage()) for each in command["messages"]]
            case "send":
                self.newest.send(json_format.ParseDict(command["message"], ServerMessage()))
            case "raw":
                self.newest.send(bytes.fromhex(command["hex"]))
            case "bulk":
                self.newest.start_bulk(command["first"], command["count"])
            case "end":
                self.newest.outbox.put(None)
            case "abort":
                self.newest.outbox.put((grpc.StatusCode[command["code"]], command["message"]))
            case "tokens":
                self.set_tokens(command["tokens"])
            case "code":
                self.codes[command["code"]] = command
            case "silent":
                self.silent = command["on"]
            case "freeze":
                door.freeze()
            case "cut":
                door.cut()
        say(event="done", command=command["do"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default="token")
    parser.add_argument("--genuine", action="store_true")
    parser.add_argument("--calm", type=int, default=1, help="ms between two PINGs at least, or the connection is ended")
    arguments = parser.parse_args()

    genuine = Genuine(say, lambda each: json_format.ParseDict(each, ServerMessage())) if arguments.genuine else None
    plane = Plane({arguments.token: "client-1"}, genuine)
    serialize = message("CredentialBundle").SerializeToString
    server = grpc.server(futures.ThreadPoolExecutor(64), options=[
        # Like the contract's server: all pings are answered, however many.
        ("grpc.http2.min_ping_interval_without_data_ms", arguments.calm),
        ("grpc.http2.max_ping_strikes", 0 if arguments.calm == 1 else 2), ("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((
        grpc.method_handlers_generic_handler("portunus.v1.Control", {
            "Channel": grpc.stream_stream_rpc_method_handler(plane.channel, ClientMessage.FromString, None)}),
        grpc.method_handlers_generic_handler("portunus.v1.ClientEnrollment", {
            "Enroll": grpc.unary_unary_rpc_method_handler(
                plane.enroll, message("EnrollClientRequest").FromString, serialize)})))
    with open(arguments.key, "rb") as key, open(arguments.certificate, "rb") as certificate:
        credentials = grpc.ssl_server_credentials([(key.read(), certificate.read())])
    target = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    door = Door(arguments.host, arguments.port, target, say)
    say(event="listening", port=door.port)
    for line in sys.stdin:
        try:
            plane.obey(json.loads(line), door)
        except Exception as error:
            fault(f"the command {line.strip()} failed: {error!r}")
    server.stop(0)


main()
