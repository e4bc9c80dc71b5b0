"""Chapter 7: a client of two servers. two_functions.py and two_objects.py begin with it."""

import socket


def ask_both():
    for port in 8090, 8091:
        try:
            tcp_client_socket = socket.create_connection(("127.0.0.1", port), timeout=5)
            tcp_client_socket.send("你好".encode("gbk"))
            print(port, tcp_client_socket.recv(1024).decode("gbk"))
            tcp_client_socket.close()
        except OSError as error:
            print(port, error)
