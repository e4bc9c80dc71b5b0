"""Chapter 9: a request without the field Host, which HTTP/1.1 forbids."""

import socket

tcp_client_socket = socket.create_connection(("127.0.0.1", 8090))
tcp_client_socket.send(b"GET / HTTP/1.1\r\n\r\n")
print(tcp_client_socket.recv(1024).decode().splitlines()[0])
