"""Tongcheng 同城: public services that work across a border as if it were one city."""

from importlib.metadata import version

__version__ = version("tongcheng")
