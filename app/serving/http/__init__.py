"""An HTTP/1.1 server for short answers: one process, one thread, bounded in everything."""
