"""Runs a command in a terminal of its own and types Ctrl-C, as a person does.

Arguments: how often it is typed, a text that is waited for before the first, and the command. Prints what is seen in the
terminal until the command ends, a line with its exit code, and what is seen in the second after that.
"""

import os
import pty
import select
import sys
import time


def read(terminal: int, seconds: float) -> bytes:
    """Reads what comes within some seconds; nothing where nobody has the terminal any more."""
    said = b""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            try:
                said += os.read(terminal, 65536)
            except OSError:
                break
    return said


times, text, command = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
said = b""
while (end := os.waitpid(pid, os.WNOHANG))[0] == 0:
    if times > 0 and text in said:
        os.write(terminal, b"\x03")
        times -= 1
        said += read(terminal, 1.5)
    said += read(terminal, 0.1)
said += read(terminal, 0.1)
print(said.decode(), f"exit code {os.waitstatus_to_exitcode(end[1])}", sep="\n")
print(read(terminal, 1).decode())
