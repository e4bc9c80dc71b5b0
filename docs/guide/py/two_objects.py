"""Chapter 7: two servers, as objects of the tutorial's class, and a client that asks both. Ctrl-C stops them."""

import socket
import threading

from ask_both import ask_both


class WebServer(object):
    def __init__(self, port, content):
        self.content = content
        self.tcp_server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)  # 1 socket
        self.tcp_server_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
        self.tcp_server_socket.bind(("", port))  # 2 bind
        self.tcp_server_socket.listen(128)  # 3 listen

    def start(self):
        while True:
            new_socket, ip_port = self.tcp_server_socket.accept()  # 4 accept
            self.handle_client_request(new_socket, ip_port)

    def handle_client_request(self, new_socket, ip_port):
        recv_data = new_socket.recv(1024)  # 5 recv
        new_socket.send(self.content.encode("gbk"))  # 6 send
        new_socket.close()  # 7 close


if __name__ == "__main__":
    first, second = WebServer(8090, "我是第一个"), WebServer(8091, "我是第二个")
    threading.Thread(target=first.start, daemon=True).start()
    threading.Thread(target=second.start, daemon=True).start()
    ask_both()
    threading.Event().wait()  # until Ctrl-C
