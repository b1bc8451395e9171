"""The boards: the only place that touches pins, port, clock and watchdog."""
