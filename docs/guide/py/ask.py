"""Chapter 6: two clients. The first connects and says nothing, the second asks. Its patience may be given, in seconds."""

import socket
import sys

patience = float(sys.argv[1]) if sys.argv[1:] else 5
silent = socket.create_connection(("127.0.0.1", 8090))
tcp_client_socket = socket.create_connection(("127.0.0.1", 8090), timeout=patience)
tcp_client_socket.send("在吗？".encode("gbk"))
print(tcp_client_socket.recv(1024).decode("gbk").strip())
