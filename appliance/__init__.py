"""Postern: a licence-plate gate that keeps the law by construction."""

__version__ = "0.1.0"
