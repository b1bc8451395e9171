"""The error tree. Expected outcomes (no plate, not listed) are values, never errors.

    ApplianceError
      ConfigError        the settings file is wrong
      CaptureError       a picture or camera cannot be read
      RecognitionError   a model is missing, damaged or of another shape
      BarrierError
        LinkLost         the controller does not answer
        OrderRefused     the controller answered no
        OrderTimeout     the order outlived its deadline
      RecordError        a record cannot be kept or found
        PurposeRefused   the purpose is not in the published policy
        NoPolicy         no policy is published, so nothing is stored
      VaultError         a key is missing or wrong
      DutyError          a legal duty forbids this
      IpcError           another program does not answer or sent nonsense

Each error carries a ``key`` for translation, the ``fields`` that fill its sentence and
``next_step``: what the reader can do. Texts must never hold a plate, name, key or token.
"""

from __future__ import annotations

from typing import ClassVar


class ApplianceError(Exception):
    """Root of all errors this product raises on purpose."""

    key: ClassVar[str] = "error"

    def __init__(self, message: str, *, next_step: str = "", **fields: str | int | float) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.fields = fields

    def __str__(self) -> str:
        return f"{self.message}. {self.next_step}" if self.next_step else self.message


class ConfigError(ApplianceError):
    key = "config"


class CaptureError(ApplianceError):
    key = "capture"


class RecognitionError(ApplianceError):
    key = "recognition"


class BarrierError(ApplianceError):
    key = "barrier"


class LinkLost(BarrierError):
    key = "barrier_link_lost"


class OrderRefused(BarrierError):
    key = "barrier_refused"


class OrderTimeout(BarrierError):
    key = "barrier_timeout"


class RecordError(ApplianceError):
    key = "record"


class PurposeRefused(RecordError):
    key = "purpose_refused"


class NoPolicy(RecordError):
    key = "no_policy"


class VaultError(ApplianceError):
    key = "vault"


class DutyError(ApplianceError):
    key = "duty"


class IpcError(ApplianceError):
    key = "ipc"
