"""A proxy between the client and the server: it reports the contents of a ClientHello, and breaks connections as networks do."""

import socket
import threading


def client_hello(data):
    """The server name and the application protocols of a TLS ClientHello (RFC 8446 4.1.2), which is in one record here."""
    at = 5 + 4 + 2 + 32
    at += 1 + data[at]
    at += 2 + int.from_bytes(data[at:at + 2], "big")
    at += 1 + data[at]
    end = at + 2 + int.from_bytes(data[at:at + 2], "big")
    at += 2
    name, protocols = None, []
    while at + 4 <= end:
        kind, size = int.from_bytes(data[at:at + 2], "big"), int.from_bytes(data[at + 2:at + 4], "big")
        body = data[at + 4:at + 4 + size]
        if kind == 0:
            name = body[5:].decode()
        elif kind == 16:
            rest = body[2:]
            while rest:
                protocols.append(rest[1:1 + rest[0]].decode())
                rest = rest[1 + rest[0]:]
        at += 4 + size
    return name, protocols


class Door:
    """Forwards connections to a port of 127.0.0.1."""

    def __init__(self, host, port, target, say):
        self.target, self.say = target, say
        self.lock, self.connections, self.frozen = threading.Lock(), [], set()
        self.listener = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            hello = client.recv(65536, socket.MSG_PEEK)
            name, protocols = client_hello(hello)
            self.say(event="connection", sni=name, alpn=protocols)
            server = socket.create_connection(("127.0.0.1", self.target))
        except (OSError, IndexError):
            client.close()
            return
        pair = (client, server)
        with self.lock:
            self.connections.append(pair)
        for one, other in (pair, pair[::-1]):
            threading.Thread(target=self.pass_on, args=(one, other, pair), daemon=True).start()

    def pass_on(self, one, other, pair):
        try:
            while data := one.recv(65536):
                if pair in self.frozen:
                    return  # It stays open, and nothing more is read.
                other.sendall(data)
        except OSError:
            pass
        if pair not in self.frozen:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def freeze(self):
        """Silences open connections, which stay open."""
        with self.lock:
            self.frozen.update(self.connections)

    def cut(self):
        """Closes open connections."""
        with self.lock:
            for end in (end for pair in self.connections for end in pair):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.connections.clear()
