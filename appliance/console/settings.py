"""The console's fixed numbers. Production values stand here and a test pins them; tests use cheap
ones. They are constants of the product, not options of a site: nobody may weaken them by file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Costs and limits; all durations in seconds."""

    hash_time_cost: int = 3
    hash_memory_kib: int = 19_456  # OWASP's floor for argon2id, with one more pass than it asks
    idle_s: float = 30 * 60
    absolute_s: float = 12 * 3600
    purpose_s: float = 30 * 60
    failures_before_lock: int = 5
    first_lock_s: float = 60
    longest_lock_s: float = 15 * 60
    setup_code_s: float = 24 * 3600
    invite_code_s: float = 72 * 3600
    shortest_password: int = 12
    live_view_gap_s: float = 60
    """A picture asked for after this pause is a new view and is journaled again."""
    streams: int = 4
    """Server-sent event streams at once; the rest poll, so that no thread is starved."""
    stream_step_s: float = 0.5
    arm_step_s: float = 0.15
    """The same where an arm is seen to move."""
    stream_life_s: float = 60
    ask_timeout_s: float = 2.0
    cookie_secure: bool = False
    """True where TLS is in front: set by the device image."""


CHEAP = Settings(hash_time_cost=1, hash_memory_kib=8, stream_step_s=0.01, stream_life_s=0.05)
"""For tests only: a hash in under a millisecond."""
