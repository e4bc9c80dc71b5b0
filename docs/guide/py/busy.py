"""Chapter 4: the tutorial's server, which is busy with something else until you press Return."""

import socket

tcp_server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
tcp_server_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
tcp_server_socket.bind(("", 8090))
tcp_server_socket.listen(128)
while True:
    new_socket, ip_port = tcp_server_socket.accept()
    input("A client is here. Return goes on.\n")
    while recv_data := new_socket.recv(1024):
        text = recv_data.decode("gbk")
        print(f"{len(recv_data)} bytes: {text[:12]}")
    new_socket.close()
