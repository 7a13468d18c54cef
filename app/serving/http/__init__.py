"""An HTTP/1.1 server for short responses: one process, one thread, a limit for every resource."""
