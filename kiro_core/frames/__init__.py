"""A message travels as the bytes that arrived, with only its routing head read."""

from kiro_core.frames.codec import decode, encode
from kiro_core.frames.frame import Frame
from kiro_core.frames.head import INVALID_REQUEST, PARSE_ERROR, Head
from kiro_core.frames.lines import Splitter, join, parse

__all__ = ["INVALID_REQUEST", "PARSE_ERROR", "Frame", "Head", "Splitter", "decode", "encode", "join", "parse"]
