"""A program on a pseudo terminal, as a person would use it."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time


def take_the_terminal():
    """In the child. A shell's background job has ^C ignored, and passes that on."""
    for interrupt in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(interrupt, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A program on a pseudo terminal."""

    def __init__(self, command, **environment):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, close_fds=True,
                                        start_new_session=True, preexec_fn=take_the_terminal,
                                        env=dict(os.environ, TERM="xterm", COLUMNS="120", LINES="40", **environment))
        os.close(slave)
        self.seen = ""

    def read_until(self, pattern, seconds=60):
        until = time.monotonic() + seconds
        while not re.search(pattern, self.seen):
            left = until - time.monotonic()
            ready = left > 0 and select.select([self.master], [], [], left)[0]
            if not ready:
                raise AssertionError(f"waited for {pattern!r}, saw:\n{self.seen}")
            try:
                self.seen += os.read(self.master, 65536).decode(errors="replace")
            except OSError as over:
                raise AssertionError(f"ended before {pattern!r}, saw:\n{self.seen}") from over

    def send(self, text):
        self.seen = ""
        os.write(self.master, text.encode())

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
