"""The gate's controller: the part that owns the relay and can do no harm.

Every module but those under ``boards`` is pure: it imports no ``machine``, asks no clock, and runs
the same on CPython and on MicroPython. Time comes in as the milliseconds since the last pass.
"""

__version__ = "1.0.0"
VERSION = bytes((1, 0, 0))
