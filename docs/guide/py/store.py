"""Chapter 8: a client of example 13, the store of keys and values."""

import socket

tcp_client_socket = socket.create_connection(("127.0.0.1", 8090))
answers = tcp_client_socket.makefile(encoding="utf-8")
for line in ["SET city Beijing", "AUTH qibu", "SET city Beijing", "GET city"]:
    tcp_client_socket.sendall(f"{line}\n".encode())
    print(f"{line:18}", answers.readline(), end="")
