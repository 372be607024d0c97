"""visit.py ADDRESS PORT get BYTES | echo SECONDS : visits host.py and prints the result as a JSON line: for "get" whether all bytes
arrived and are correct, and the longest silence; for "echo" how many lines came back, and the longest time that one took."""

import hashlib
import json
import socket
import sys
import time

from block import BLOCK

address, port, what, amount = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
connection = socket.create_connection((address, port), timeout=10)
with connection, connection.makefile("rb") as stream:
    longest, count, right = 0.0, 0, None
    if what == "get":
        connection.sendall(b"get %d\n" % amount)
        came, wanted, last = hashlib.sha256(), hashlib.sha256(), time.monotonic()
        while data := stream.read1(1 << 16):
            now = time.monotonic()
            longest, last, count = max(longest, now - last), now, count + len(data)
            came.update(data)
        for start in range(0, amount, len(BLOCK)):
            wanted.update(BLOCK[: amount - start])
        right = came.digest() == wanted.digest()
    else:
        connection.sendall(b"echo\n")
        end = time.monotonic() + amount
        while (began := time.monotonic()) < end:
            connection.sendall(b"%d\n" % count)
            if stream.readline() != b"%d\n" % count:
                raise SystemExit("the connection has ended")
            longest, count = max(longest, time.monotonic() - began), count + 1
            time.sleep(0.1)
print(json.dumps({"count": count, "longest_ms": longest * 1000, "right": right}), flush=True)
