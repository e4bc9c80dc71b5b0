"""Chapter 7: two servers, as functions, and a client that asks both."""

import socket
import threading

from ask_both import ask_both


def listen(port):
    global tcp_server_socket
    tcp_server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    tcp_server_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
    tcp_server_socket.bind(("", port))
    tcp_server_socket.listen(128)


def start(content):
    while True:
        new_socket, ip_port = tcp_server_socket.accept()
        new_socket.recv(1024)
        new_socket.send(content.encode("gbk"))
        new_socket.close()


listen(8090)
listen(8091)
threading.Thread(target=start, args=["我是第一个"], daemon=True).start()
threading.Thread(target=start, args=["我是第二个"], daemon=True).start()
ask_both()
