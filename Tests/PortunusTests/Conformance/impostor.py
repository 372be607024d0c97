"""impostor.py CERTIFICATE KEY: an impostor in the control plane's place, which records everything it receives over TLS.

Says on stdout, as JSON lines: listening {port}; handshake {done}; secret {bytes}, of what came after a handshake."""

import json
import socket
import ssl
import sys


def say(**what):
    print(json.dumps(what), flush=True)


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    context.set_alpn_protocols(["h2"])
    listener = socket.create_server(("127.0.0.1", 0))
    say(event="listening", port=listener.getsockname()[1])
    while True:
        client, _ = listener.accept()
        client.settimeout(2)
        try:
            session = context.wrap_socket(client, server_side=True)
        except OSError as error:
            say(event="handshake", done=False, reason=str(error))
            continue
        say(event="handshake", done=True)
        count = 0
        try:
            while data := session.recv(65536):
                count += len(data)
                say(event="secret", bytes=count)
        except OSError:
            pass
        session.close()


main()
