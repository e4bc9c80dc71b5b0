"""Chapter 4: a client that sends three messages."""

import socket

tcp_client_socket = socket.create_connection(("127.0.0.1", 8090))
tcp_client_socket.send(b"hello")
tcp_client_socket.send(b"world")
tcp_client_socket.send(b"x" * 3000)
tcp_client_socket.close()
