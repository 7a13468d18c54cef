"""Every bound of the HTTP server, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds. A request over a bound is refused, the rest go on."""

    #: A body; 413. Room for a batch of a thousand rows of some fifty numbers.
    body: int = 1024 * 1024
    #: Bodies that are being received, or wait, of all connections together; more get a 503. A
    #: quarter of a pod's memory.
    bodies: int = 64 * 1024 * 1024
    #: All header lines together; 431. What proxies such as nginx and Traefik let through at most.
    head: int = 32 * 1024
    #: Header lines; 431.
    header_count: int = 100
    #: The request target; 414.
    target: int = 8 * 1024
    #: From a request's first byte (or the connection) to its last header line; 408.
    head_seconds: float = 5.0
    #: From there to the last byte of its body; 408. Together below any usual drain time.
    body_seconds: float = 5.0
    #: Between requests. Longer than proxies keep theirs (Traefik 90 s, nginx and AWS 60 s), so that
    #: it is never the server that closes a connection on which a proxy is about to send.
    idle_seconds: float = 120.0
    #: Open connections. One more costs the longest idle one its place.
    connections: int = 1024
    #: Where none is idle, so many more have probes answered, and get a 503 for predictions.
    crowd: int = 64
    #: Predictions that wait; more are answered with 503 at once.
    queue: int = 256
    #: How long one may wait: later its client has given up, and the answer would be wasted work.
    queue_seconds: float = 1.0
    #: Requests that one connection may have sent ahead of their answers before it is read no more.
    pipeline: int = 16
    #: A client that does not take its answers is cut off after this.
    write_seconds: float = 10.0
    #: After a stop, for requests that were on their way on an idle connection.
    stop_idle_seconds: float = 1.0
