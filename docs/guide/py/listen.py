"""Chapters 1 and 2: a server that listens, and does no more. Ctrl-C stops it."""

import socket
import time

tcp_server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)  # 1. socket
tcp_server_socket.bind(("", 8090))                                     # 2. bind
tcp_server_socket.listen(128)                                          # 3. listen
time.sleep(600)  # it stays for ten minutes
