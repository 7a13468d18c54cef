"""All limits of the HTTP server."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds. A request above a limit is refused."""

    #: A body; 413. Enough for a batch of a thousand rows of some fifty numbers.
    body: int = 1024 * 1024
    #: Bodies of all connections that are being received or wait; more get a 503. A quarter of a
    #: pod's memory.
    bodies: int = 64 * 1024 * 1024
    #: All header lines together; 431. The maximum of proxies such as nginx and Traefik.
    head: int = 32 * 1024
    #: Header lines; 431.
    header_count: int = 100
    #: The request target; 414.
    target: int = 8 * 1024
    #: From a request's first byte (or the connection) to its last header line; 408.
    head_seconds: float = 5.0
    #: From there to the last byte of its body; 408. The sum is below common drain times.
    body_seconds: float = 5.0
    #: Between requests. Longer than the keep-alive timeout of proxies (Traefik 90 s, nginx and AWS
    #: 60 s), so that the server never closes a connection on which a proxy is about to send.
    idle_seconds: float = 120.0
    #: Open connections. A further one closes the one that has been idle longest.
    connections: int = 1024
    #: Further connections if none is idle: probes are served, predictions get a 503.
    probe_connections: int = 64
    #: Predictions in the queue; more get a 503 at once.
    queue: int = 256
    #: Time in the queue. After that the client has given up, and computing would be wasted work.
    queue_seconds: float = 1.0
    #: Pipelined requests of one connection; then nothing more is read from it.
    pipeline: int = 16
    #: The connection of a client that does not read its responses is closed after this.
    write_seconds: float = 10.0
    #: After a stop, for requests in transit on an idle connection.
    stop_idle_seconds: float = 1.0
