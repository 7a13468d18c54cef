"""Sends the same bytes for every request: `python bare.py PORT`.

The minimum cost of any server on this machine, mostly in the kernel.
"""

import select
import socket
import sys

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n"
ANSWER += b'{"prediction":[1.0]}'


def answer(client: socket.socket) -> bool:
    """Responds to received data; False if the client has disconnected."""
    try:
        if client.recv(65536):
            client.sendall(ANSWER)
            return True
    except OSError:
        pass
    return False


def serve(port: int) -> None:
    """Never returns."""
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
    clients: dict[int, socket.socket] = {}
    while True:
        for descriptor, _ in epoll.poll():
            client = clients.get(descriptor)
            if client is None:
                client, _ = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients[client.fileno()] = client
                epoll.register(client, select.EPOLLIN)
            elif not answer(client):
                epoll.unregister(client)
                clients.pop(descriptor).close()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
