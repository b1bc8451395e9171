"""SIGKILL at any time: back within 5 s, nothing acknowledged is lost, no order given twice.

While the demo clip runs, a second witness keeps passages of its own and remembers which were
acknowledged. Programs are killed at random moments, also while they are still starting.
`POSTERN_KILLS` sets the number (default 200); `POSTERN_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter

import pytest

from appliance import codec, ipc
from appliance.bench import rooms
from appliance.errors import IpcError
from tests.pace import slowness
from tests.system.product import PROGRAMS, Product

pytestmark = [pytest.mark.system, pytest.mark.kills]

KILLS = int(os.environ.get("POSTERN_KILLS", "200"))
SEED = int(os.environ.get("POSTERN_SEED", str(random.randrange(10**6))))
BACK_WITHIN_S = 5.0


class Witness(threading.Thread):
    """Keeps passages as the gate does and remembers which were acknowledged."""

    def __init__(self, product: Product) -> None:
        super().__init__(daemon=True)
        self.path = product.config.socket("records")
        self.acknowledged: list[str] = []
        self.stopping = False

    def run(self) -> None:
        number = 0
        while not self.stopping:
            number += 1
            passage = rooms.passage(f"witness-{number}", "PSTN101")
            try:
                ipc.call(
                    self.path,
                    "keep",
                    {"passage": codec.encode(passage)},
                    blob=b"x" * 2000,
                    timeout_s=3,
                )
            except IpcError:
                time.sleep(0.05)
                continue
            self.acknowledged.append(passage.key)
            time.sleep(0.02)


def test_killing_any_program_at_any_time_loses_nothing_and_orders_nothing_twice():
    dice = random.Random(SEED)
    print(f"seed {SEED}, {KILLS} kills")
    slow: list[tuple[str, float, float]] = []
    backs: list[float] = []
    with Product.started() as product:
        product.wait_for(lambda s: s["ok"] and s["passages"] >= 1, 90)
        witness = Witness(product)
        witness.start()
        killed: Counter[str] = Counter()
        while sum(killed.values()) < KILLS:
            program = next((p for p in PROGRAMS if not killed[p]), dice.choice(PROGRAMS))
            if not product.kill(program):
                time.sleep(0.05)
                continue
            killed[program] += 1
            if dice.random() < 0.3:  # strike again while things are still starting
                time.sleep(dice.uniform(0, 0.4))
                continue
            back = product.wait_for(lambda s, p=program: s["programs"][p]["up"], 30)
            backs.append(back)
            if back > BACK_WITHIN_S and back > (limit := BACK_WITHIN_S * slowness()):
                slow.append((program, round(back, 1), round(limit, 1)))
            time.sleep(dice.uniform(0, 0.8))
        product.wait_for(lambda s: s["ok"], 30)
        witness.stopping = True
        witness.join(10)
        kept = _kept_keys(product)
        ordered = _orders(product)
        journal = product.verify_journal()
        logs = product.logs(5)
    backs.sort()
    print(f"back after s: median {backs[len(backs) // 2]:.1f}, slowest {backs[-1]:.1f}")
    assert not slow, f"(program, took s, allowed s): {slow}\n{logs}"
    assert len(witness.acknowledged) > KILLS / 2, "the witness must have had something to lose"
    assert not set(witness.acknowledged) - kept
    assert ordered, "the gate must have opened in the meantime"
    assert max(ordered.values()) == 1, "one track, one order"
    assert journal.returncode == 0, journal.stdout
    assert min(killed[p] for p in PROGRAMS) > 0


def _kept_keys(product: Product) -> set[str]:
    """Reads the volumes themselves, not what the program says of them."""
    from appliance.records import volumes

    return volumes.all_keys(product.config)


def _orders(product: Product) -> Counter[str]:
    """Every order ever written down before it was sent, by track."""
    from appliance.gate import ledger

    return Counter(ledger.read_all(product.config))
