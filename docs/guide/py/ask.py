"""Chapter 6: two clients. The first connects and says nothing, the second asks."""

import socket

silent = socket.create_connection(("127.0.0.1", 8090))
tcp_client_socket = socket.create_connection(("127.0.0.1", 8090), timeout=10)
tcp_client_socket.send("在吗？".encode("gbk"))
print(tcp_client_socket.recv(1024).decode("gbk").strip())
