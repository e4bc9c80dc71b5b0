"""Chapter 4: a client whose text has a character at the place where `recv(1024)` cuts."""

import socket

tcp_client_socket = socket.create_connection(("127.0.0.1", 8090))
tcp_client_socket.send(("a" + "你好" * 300).encode("gbk"))
tcp_client_socket.close()
