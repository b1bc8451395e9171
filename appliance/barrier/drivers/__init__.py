"""Drivers: one module a kind of controller, all behind ``seam.BarrierDriver``."""
