"""Chapter 7: one client breaks off, one says nothing, and one is polite."""

import socket
import struct

rude = socket.create_connection(("127.0.0.1", 8090))
rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
rude.close()  # with this option: a reset, as if its program had crashed
silent = socket.create_connection(("127.0.0.1", 8090))
polite = socket.create_connection(("127.0.0.1", 8090), timeout=5)
polite.send(b"over, over!")
try:
    print("the polite one got:", polite.recv(1024).decode("gbk"))
except TimeoutError as error:
    print("the polite one got nothing:", error)
