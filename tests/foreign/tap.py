"""Run a program and keep what it reads and what it writes: `tap.py FOLDER COMMAND...`.

Each run has a folder of its own in FOLDER, with the files `stdin` and `stdout`, byte for byte.
"""

import os
import subprocess
import sys
import threading
from pathlib import Path


def copy(source, target, file):
    """Copy until the source ends or nobody takes it any more."""
    try:
        while chunk := os.read(source, 65536):
            file.write(chunk)
            while chunk:
                chunk = chunk[os.write(target, chunk) :]
    except OSError:
        pass
    os.close(target)


def main():
    """Copy both ways until the program has ended; its exit status."""
    folder, command = Path(sys.argv[1]) / str(os.getpid()), sys.argv[2:]
    folder.mkdir()
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with (folder / "stdin").open("xb", 0) as read, (folder / "stdout").open("xb", 0) as written:
        threading.Thread(target=copy, args=(0, child.stdin.fileno(), read), daemon=True).start()
        copy(child.stdout.fileno(), 1, written)
        return child.wait()


if __name__ == "__main__":
    status = main()
    # The other copy may still wait for a stdin that nobody closes.
    os._exit(status if status >= 0 else 128 - status)
