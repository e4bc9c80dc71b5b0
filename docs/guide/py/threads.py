"""Chapter 6: an echo server with a thread for each client."""

import socket
import threading


def handle_client_request(new_socket, ip_port):
    while recv_data := new_socket.recv(1024):
        new_socket.sendall(recv_data)
    new_socket.close()


def start(tcp_server_socket):
    while True:
        new_socket, ip_port = tcp_server_socket.accept()
        threading.Thread(target=handle_client_request, args=(new_socket, ip_port), daemon=True).start()


start(socket.create_server(("127.0.0.1", 8090)))
