"""The console's questions to the other programs, parsed into values at this border.

Each question opens its own connection: a program that is down costs one refused connect and
answers ``None`` (``quiet``) or an IpcError whose text a page shows. ``Who`` travels with every
question that may name a plate; records writes it to the journal before it answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance import ipc
from appliance.config import Config
from appliance.errors import IpcError

DOOR, RECORDS, VIEW, UPLINK, YARD = "door", "records", "view", "uplink", "yard"


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks, and what for."""

    actor: str
    role: str
    organisation: str
    purpose: str
    reason: str

    def fields(self) -> dict[str, str]:
        return {"actor": self.actor, "role": self.role, "organisation": self.organisation,
                "purpose": self.purpose, "reason": self.reason}


class Programs:
    """Asks over the sockets of one run folder."""

    def __init__(self, config: Config, timeout_s: float) -> None:
        self._config = config
        self._timeout_s = timeout_s

    def ask(self, program: str, verb: str, who: Who | None = None,
            **fields: Any) -> ipc.Message:
        """Raises IpcError where the program is down, ipc.Refused where it says no."""
        asked: Mapping[str, Any] = {**fields, **(who.fields() if who else {})}
        return ipc.call(self._config.socket(program), verb, asked, timeout_s=self._timeout_s)

    def quiet(self, program: str, verb: str, **fields: Any) -> ipc.Message | None:
        """The answer, or None where there is none: for pages that go on without it."""
        try:
            return self.ask(program, verb, None, **fields)
        except IpcError:
            return None
