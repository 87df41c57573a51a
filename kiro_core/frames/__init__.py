"""A message travels as the bytes that arrived, with only its routing head read."""

from kiro_core.frames.codec import decode, encode
from kiro_core.frames.frame import Frame
from kiro_core.frames.head import INVALID_REQUEST, PARSE_ERROR, Head
from kiro_core.frames.lines import Splitter, join, parse
from kiro_core.frames.reader import read
from kiro_core.frames.run import Run

__all__ = [
    "INVALID_REQUEST",
    "PARSE_ERROR",
    "Frame",
    "Head",
    "Run",
    "Splitter",
    "decode",
    "encode",
    "join",
    "parse",
    "read",
]
