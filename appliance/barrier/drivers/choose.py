"""The driver that the settings name, built; and which settings make no sense together.

1. A setting that the chosen driver cannot honour is refused with the key's name: a limit switch
   that nobody reads would make "it moved" a guess.
2. A driver's library is loaded only where the driver is chosen.
"""

from __future__ import annotations

from appliance import vault
from appliance.barrier.drivers.arm import Arm
from appliance.barrier.drivers.seam import BarrierDriver
from appliance.barrier.drivers.wiring import NOT_WIRED, Wiring
from appliance.config import Barrier, Config
from appliance.errors import ConfigError, VaultError

_READS_NO_INPUTS = {
    "pico": "The controller knows its own inputs: say there what is wired",
    "lcus": "Take the line out, or choose a relay board with inputs",
}
KEYED = ("pico", "osdp")
"""The drivers that need the controller's key."""
_LAST_OSDP_ADDRESS = 126  # 127 is everybody


def driver(config: Config, arm: Arm | None = None) -> BarrierDriver:
    """Builds it; nothing is opened yet. ``arm`` is for the simulator.

    Raises ConfigError where settings contradict each other, VaultError where a key is missing.
    """
    barrier = config.barrier
    check(barrier)
    if barrier.driver == "simulator":
        from appliance.barrier.drivers.simulator import Simulator

        return Simulator(arm=arm)
    if barrier.driver == "pico":
        from appliance.barrier.drivers.pico import Pico

        return Pico(barrier.port, vault.controller_key(config))
    if barrier.driver == "osdp":
        return _osdp(config)
    return _plain_relay(barrier)


def check(barrier: Barrier) -> None:
    """Raises ConfigError naming the keys that contradict each other."""
    wired = wiring(barrier)
    if barrier.driver in _READS_NO_INPUTS and wired.lines:
        raise ConfigError(
            f"[barrier] limit_open to photocell mean nothing to driver {barrier.driver!r}",
            next_step=_READS_NO_INPUTS[barrier.driver],
        )
    if len(set(wired.lines)) < len(wired.lines):
        raise ConfigError("[barrier] two switches stand on one input")
    if barrier.driver == "modbus" and barrier.address == 0:
        raise ConfigError(
            "[barrier] address 0 means every board on the bus, and none answers",
            next_step="Take 1 to 247",
        )
    if barrier.driver == "osdp" and barrier.address > _LAST_OSDP_ADDRESS:
        raise ConfigError("[barrier] address must lie between 0 and 126 for OSDP")
    if barrier.driver == "gpio" and barrier.open_line in wired.lines:
        raise ConfigError("[barrier] open_line is an input as well")
    _check_presence(barrier)


def _check_presence(barrier: Barrier) -> None:
    blind = barrier.driver in ("modbus", "gpio", "lcus", "osdp")
    if barrier.presence_needed and blind and barrier.entry_loop == NOT_WIRED:
        raise ConfigError(
            "[barrier] presence_needed without an entry_loop would never open",
            next_step="Wire the loop and name its input, or leave presence_needed out",
        )


def wiring(barrier: Barrier) -> Wiring:
    return Wiring(
        limit_open=barrier.limit_open, limit_closed=barrier.limit_closed,
        entry_loop=barrier.entry_loop, safety_loop=barrier.safety_loop,
        photocell=barrier.photocell,
    )


def _osdp(config: Config) -> BarrierDriver:
    from appliance.barrier.drivers import osdp

    barrier = config.barrier
    try:
        key = vault.controller_key(config)[: osdp.KEY_BYTES]
    except VaultError as error:
        raise VaultError(
            error.message, next_step="Run `postern controller osdp-key`"
        ) from error
    return osdp.Osdp(
        barrier.port, key, address=barrier.address, relay=barrier.relay, wiring=wiring(barrier)
    )


def _plain_relay(barrier: Barrier) -> BarrierDriver:
    if barrier.driver == "modbus":
        from appliance.barrier.drivers.modbus import Modbus

        return Modbus(
            barrier.port, address=barrier.address, relay=barrier.relay, wiring=wiring(barrier)
        )
    if barrier.driver == "gpio":
        from appliance.barrier.drivers.gpio import Gpio

        return Gpio(barrier.chip, barrier.open_line, wiring=wiring(barrier))
    from appliance.barrier.drivers.lcus import Lcus

    return Lcus(barrier.port, relay=barrier.relay)
