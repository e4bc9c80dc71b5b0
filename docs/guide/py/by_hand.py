"""Chapter 9: HTTP by hand, in the tutorial's class."""

import socket


class WebServer(object):
    def __init__(self):
        self.tcp_server_socket = socket.create_server(("127.0.0.1", 8090))

    def start(self):
        while True:
            new_socket, ip_port = self.tcp_server_socket.accept()
            self.handle_client_request(new_socket, ip_port)

    def handle_client_request(self, new_socket, ip_port):
        recv_data = b""
        while b"\r\n\r\n" not in recv_data:
            more = new_socket.recv(1024)
            if not more:
                return new_socket.close()
            recv_data += more
        method, path, version = recv_data.split(b"\r\n")[0].decode().split(" ")
        body = "Hello, world!\n" if path == "/" else "There is nothing here.\n"
        status = "200 OK" if path == "/" else "404 Not Found"
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body.encode())}\r\n\r\n"
        new_socket.send((head + body).encode())
        new_socket.close()


if __name__ == "__main__":
    WebServer().start()
