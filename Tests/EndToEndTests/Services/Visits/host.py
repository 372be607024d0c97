"""host.py PORT [proxy] : a service to visit. A visitor sends one line: "get BYTES" is answered with that many bytes, always the same;
"echo" with every line that follows. Each visitor is printed as a JSON line: its address, and with "proxy" the one in the header."""

import json
import socket
import struct
import sys
import threading

from block import BLOCK


def header(stream):
    """The caller's address in a PROXY protocol header, version 1 or 2."""
    start = stream.read(12)
    if start != b"\r\n\r\n\0\r\nQUIT\n":
        return (start + stream.readline()).split()[2].decode()
    command, family, size = struct.unpack("!BBH", stream.read(4))
    body = stream.read(size)
    assert command == 0x21, command
    return socket.inet_ntop(*((socket.AF_INET, body[:4]) if family == 0x11 else (socket.AF_INET6, body[:16])))


def serve(connection, peer, proxied):
    with connection, connection.makefile("rb") as stream:
        caller = header(stream) if proxied else None
        print(json.dumps({"peer": peer.removeprefix("::ffff:"), "caller": caller}), flush=True)
        words = stream.readline().split()
        if words[:1] == [b"get"]:
            left = int(words[1])
            while left > 0:
                connection.sendall(BLOCK[:left])
                left -= len(BLOCK)
        elif words[:1] == [b"echo"]:
            for line in stream:
                connection.sendall(line)


def attempt(*arguments):
    try:
        serve(*arguments)
    except OSError:
        pass


with socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64) as listener:
    while True:
        connection, address = listener.accept()
        threading.Thread(target=attempt, args=(connection, address[0], sys.argv[2:] == ["proxy"]), daemon=True).start()
