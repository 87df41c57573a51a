"""The tables, and how a new file gets them: whole or not at all, however many processes begin at a time."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from uuid import uuid4

VERSION = 1
"""Of the tables; a file with a higher one was made by a newer version."""

_TABLES = """
CREATE TABLE session (
    key INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice, while the id of a deleted session may be
    id TEXT NOT NULL UNIQUE,
    info TEXT NOT NULL,                     -- the metadata as JSON; the next five are of it, to find sessions by
    format INTEGER NOT NULL,
    updated TEXT NOT NULL,
    name TEXT NOT NULL,
    cwd TEXT NOT NULL,
    trashed TEXT NOT NULL,
    epoch INTEGER NOT NULL DEFAULT 0,
    head INTEGER NOT NULL DEFAULT 0,        -- the number of the last record
    durable INTEGER NOT NULL DEFAULT 0,     -- the last one that a commit has made durable
    lease TEXT NOT NULL DEFAULT '',         -- the pipe of the last owner, and who it was, as JSON
    owner BLOB NOT NULL DEFAULT x''
);
CREATE INDEX newest ON session (updated, id);
CREATE TABLE record (
    session INTEGER NOT NULL REFERENCES session (key) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (session, seq)
);
CREATE TABLE message (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    session INTEGER NOT NULL REFERENCES session (key) ON DELETE CASCADE,
    id TEXT NOT NULL,
    at TEXT NOT NULL,
    body BLOB NOT NULL,
    settled INTEGER,                        -- the number of the record that settled it
    UNIQUE (session, id)
);
CREATE INDEX settlement ON message (session, settled);
CREATE TABLE damaged (                      -- what a repair took away from its place
    session INTEGER NOT NULL REFERENCES session (key) ON DELETE CASCADE,
    seq INTEGER NOT NULL,                   -- the number of a record, 0 for anything else
    content BLOB NOT NULL
);
"""


def make_file(path: Path) -> None:
    """Make the file with its tables, readable for its user alone, unless it is there.

    Raises:
        OSError, sqlite3.Error: it cannot be made.

    """
    if path.exists():
        return
    for folder in (*reversed(path.parent.parents), path.parent):
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
    new = path.with_name(f"{path.name}.{uuid4().hex}.new")
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))  # SQLite's own files beside it get the same
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as connection:
            connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
            connection.execute("PRAGMA journal_mode = WAL")
        with suppress(FileExistsError):  # somebody was faster
            os.link(new, path)
    finally:
        new.unlink()
    folder_fd = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder_fd)
    finally:
        os.close(folder_fd)
