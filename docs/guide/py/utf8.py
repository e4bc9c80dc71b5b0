"""Chapter 3: a client that sends UTF-8 to a server that expects GBK."""

import socket

tcp_client_socket = socket.create_connection(("127.0.0.1", 8090))
tcp_client_socket.send("你好".encode("utf-8"))
print(tcp_client_socket.recv(1024).decode("gbk"))
tcp_client_socket.close()
