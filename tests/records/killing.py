"""A process that is killed just before its n-th change of the disk.

for cut in cuts(act): carry_through(config); assert everything opens

``act`` runs in a forked child that sends itself SIGKILL: nothing is tidied up, as in a power cut.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

_CHANGES = ("replace", "rename", "unlink", "link", "rmdir", "fsync")


def killed_before(number: int, act: Callable[[], object]) -> bool:
    """Runs ``act`` in a child; True where it was killed before it was done."""
    child = os.fork()
    if child == 0:
        _run(number, act)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0, "the act itself failed"
    return False


def cuts(
    act: Callable[[], object], before: Callable[[], None], stride: int = 1
) -> Iterator[int]:
    """Kills ``act`` before its first change, its second ... until it is done unharmed; ``before``
    puts the disk back each time. A ``stride`` leaves some out."""
    number = stride
    while True:
        before()
        killed = killed_before(number, act)
        yield number
        if not killed:
            return
        number += stride


def _run(number: int, act: Callable[[], object]) -> None:
    left = number

    def counted(real):
        def change(*args, **kwargs):
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        return change

    for name in _CHANGES:
        setattr(os, name, counted(getattr(os, name)))
    try:
        act()
        os._exit(0)
    except BaseException:
        os._exit(3)
