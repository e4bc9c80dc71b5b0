"""Chapter 2: the seven steps of a server, for one client."""

import socket

tcp_server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)  # 1. socket
tcp_server_socket.bind(("", 8090))                                     # 2. bind
tcp_server_socket.listen(128)                                          # 3. listen
new_socket, ip_port = tcp_server_socket.accept()                       # 4. accept
recv_data = new_socket.recv(1024)                                      # 5. recv
print(f"{ip_port}客户端发送过来的消息：{recv_data.decode('gbk')}")
new_socket.send("信息已收到，over，over！".encode("gbk"))              # 6. send
new_socket.close()                                                     # 7. close
tcp_server_socket.close()
