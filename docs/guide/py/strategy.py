"""Chapter 8: a server that is given its protocol."""

import socket


class WebServer(object):
    def __init__(self, protocol):
        self.protocol = protocol  # 1, 2, 3 as before

    def handle_client_request(self, new_socket, ip_port):
        while recv_data := new_socket.recv(1024):
            new_socket.sendall(self.protocol(recv_data))
        new_socket.close()


def echo(recv_data):
    return recv_data


def upper(recv_data):
    return recv_data.upper()


def talk(protocol, message):
    client, new_socket = socket.socketpair()  # two sockets, connected already
    client.send(message)
    client.shutdown(socket.SHUT_WR)
    WebServer(protocol).handle_client_request(new_socket, None)
    return client.recv(1024).decode()


print(talk(echo, b"over, over!"), talk(upper, b"over, over!"))
