"""The version of this release: to read it from what is installed takes longer than an editor should wait."""

__version__ = "0.1.0"
