"""Chapter 6: a client that breaks off, as if its program had crashed."""

import socket
import struct

tcp_client_socket = socket.create_connection(("127.0.0.1", 8090))
tcp_client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
tcp_client_socket.close()  # with this option: a reset
