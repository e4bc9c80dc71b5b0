"""Chapters 1 and 2: the five steps of a client."""

import socket

tcp_client_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)  # 1. socket
tcp_client_socket.settimeout(5)  # in seconds: or step 4 might wait for ever
tcp_client_socket.connect(("127.0.0.1", 8090))                         # 2. connect
print(tcp_client_socket.getsockname(), "->", tcp_client_socket.getpeername())
tcp_client_socket.send("你好，服务端！".encode("gbk"))                 # 3. send
while recv_data := tcp_client_socket.recv(1024):                       # 4. recv, until the server has closed
    print(recv_data.decode("gbk"))
tcp_client_socket.close()                                              # 5. close
