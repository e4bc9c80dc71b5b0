"""Chapter 6: an echo server with one thread, which waits for all its clients at once."""

import selectors
import socket


def handle_client_request(new_socket):
    try:
        recv_data = new_socket.recv(1024)
        if recv_data:
            new_socket.send(recv_data)  # it may take a part only: 09_event_loop keeps the rest
            return
    except BlockingIOError:
        return  # nothing after all: select will say when
    except ConnectionError:
        pass  # a reset: his end, not ours
    selector.unregister(new_socket)
    new_socket.close()


tcp_server_socket = socket.create_server(("127.0.0.1", 8090))
selector = selectors.DefaultSelector()
selector.register(tcp_server_socket, selectors.EVENT_READ)
while True:
    for key, events in selector.select():  # the only place where we wait
        if key.fileobj is tcp_server_socket:
            new_socket, ip_port = tcp_server_socket.accept()
            new_socket.setblocking(False)
            selector.register(new_socket, selectors.EVENT_READ)
        else:
            handle_client_request(key.fileobj)
