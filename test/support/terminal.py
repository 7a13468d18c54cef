"""Runs a command in a pseudo-terminal and types Ctrl-C.

Arguments: how often it is typed, a text to wait for before the first one, and the command. Prints the output of the
terminal until the command exits, a line with its exit code, and the output in the second after that.
"""

import os
import pty
import select
import sys
import time


def read(terminal: int, seconds: float) -> bytes:
    """Reads for some seconds; returns nothing if the terminal is closed."""
    output = b""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            try:
                output += os.read(terminal, 65536)
            except OSError:
                break
    return output


times, text, command = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
output = b""
while (end := os.waitpid(pid, os.WNOHANG))[0] == 0:
    if times > 0 and text in output:
        os.write(terminal, b"\x03")
        times -= 1
        output += read(terminal, 1.5)
    output += read(terminal, 0.1)
output += read(terminal, 0.1)
print(output.decode(), f"exit code {os.waitstatus_to_exitcode(end[1])}", sep="\n")
print(read(terminal, 1).decode())
