"""One session as one file that proves itself: what was exported comes back, or is refused as a whole."""

from kiro_core.archive.reading import read_archive
from kiro_core.archive.writing import write_archive

__all__ = ["read_archive", "write_archive"]
