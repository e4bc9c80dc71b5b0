"""Chapter 5: a UDP sender of 5,000 numbers."""

import socket

udp_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(5000):
    udp_socket.sendto(str(number).encode(), ("127.0.0.1", 8090))
print("5000 datagrams sent, and no error")
