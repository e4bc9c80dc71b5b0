"""Chapter 5: a UDP receiver, which is busy with something else until you press Return."""

import socket

udp_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp_socket.bind(("", 8090))
input("I am busy. Return goes on.\n")
udp_socket.settimeout(1)
arrived = 0
try:
    while udp_socket.recvfrom(1024):
        arrived += 1
except TimeoutError:
    print(f"{arrived} datagrams arrived")
