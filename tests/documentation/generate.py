"""Regenerates every generated part of README.md and docs/ from the code: `python tests/documentation/generate.py`."""

import sys

from doc_pages import PAGES, filled
from doc_parts import part


def main():
    """Write the pages that differ, and say which."""
    for page in PAGES:
        before = page.read_text("utf-8")
        after = filled(before, part)
        if after != before:
            page.write_text(after, "utf-8")
            sys.stdout.write(f"{page.name}\n")


if __name__ == "__main__":
    main()
