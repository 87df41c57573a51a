"""The baseline `selectors`: what waking up for each message of many agents costs at least, in a loop of one thread."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys

_CHUNK = 65536


def main() -> None:
    """Start so many agents of a command line: our stdin goes to each of them, and whole lines of each to our stdout."""
    agents = [
        subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        for _ in range(int(sys.argv[1]))
    ]
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    begun: dict[int, bytes] = {}
    for agent in agents:
        if agent.stdout is None:
            raise SystemExit("An agent has no pipes.")
        begun[agent.stdout.fileno()] = b""
        selector.register(agent.stdout, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            chunk = os.read(key.fd, _CHUNK)
            if not chunk:
                os._exit(0)
            if key.fd == 0:
                for agent in agents:
                    agent.stdin.write(chunk)  # type: ignore[union-attr] # it is a pipe
                continue
            lines, newline, rest = (begun[key.fd] + chunk).rpartition(b"\n")
            begun[key.fd] = rest
            if newline:
                os.write(1, lines + newline)


if __name__ == "__main__":
    main()
