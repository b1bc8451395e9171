"""The only import of a TFLite runtime: one adapter over ai-edge-litert and tflite-runtime.

Both offer the same interpreter. The one the settings name is imported and no other (each takes
memory). One thread by default: two collapse on a busy machine (medians of 60 to 770 ms, measured).
The runtimes print a greeting from C on stderr while a model is loaded; it is sent to /dev/null for
that moment. Thread: whichever owns the net; a net is not shared.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from appliance.errors import RecognitionError
from appliance.recognition import manifest
from appliance.recognition.manifest import ModelCard

Floats = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]

_RUNTIMES = {
    "litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}


class Net(Protocol):
    """A model as the rest of this room sees it: the seam for fakes."""

    @property
    def card(self) -> ModelCard: ...

    def run(self, grey: Grey) -> list[Floats]:
        """Outputs, dequantised, in the file's order, for uint8 (card.height_px, card.width_px)."""


class TfliteNet:
    """One loaded model."""

    def __init__(self, card: ModelCard, runtime: str, threads: int) -> None:
        """Raises RecognitionError for a missing, damaged or foreign file or runtime."""
        self.card = card
        content = manifest.load(card)
        interpreter_class = _interpreter_class(runtime)
        try:
            with _quiet_stderr():
                self._interpreter = interpreter_class(model_content=content, num_threads=threads)
                self._interpreter.allocate_tensors()
                self._input = self._interpreter.get_input_details()[0]
                self._outputs = self._interpreter.get_output_details()
                self._check_input()
                self.run(np.zeros((card.height_px, card.width_px), np.uint8))
        except (ValueError, RuntimeError) as cause:
            raise RecognitionError(
                f"the {card.name} model {card.path.name} cannot be run",
                next_step="Use the models that came with this version of the software",
            ) from cause

    def run(self, grey: Grey) -> list[Floats]:
        batch = grey[None, :, :, None]
        if self._input["dtype"] == np.int8:  # scale 1, zero point -128: the same bits, shifted
            pixels: Any = np.ascontiguousarray(batch ^ 0x80).view(np.int8)
        else:
            pixels = batch.astype(self._input["dtype"])
        self._interpreter.set_tensor(self._input["index"], pixels)
        self._interpreter.invoke()
        return [self._output(details) for details in self._outputs]

    def _output(self, details: dict[str, Any]) -> Floats:
        values: Floats = self._interpreter.get_tensor(details["index"]).astype(np.float32)
        scale, zero_point = details["quantization"]
        return (values - zero_point) * np.float32(scale) if scale else values

    def _check_input(self) -> None:
        shape = tuple(int(n) for n in self._input["shape"])
        if shape != (1, self.card.height_px, self.card.width_px, 1):
            raise ValueError("the model's input differs from its manifest")
        scale, zero_point = self._input["quantization"]
        if self._input["dtype"] == np.int8 and (abs(scale - 1) > 1e-3 or zero_point != -128):
            raise ValueError("the model's input is scaled in another way")


def load(models_dir: Path, name: str, precision: str, runtime: str,
         threads: int) -> TfliteNet:
    """The named model, ready to run. Raises RecognitionError."""
    return TfliteNet(manifest.find(models_dir, name, precision), runtime, threads)


def _interpreter_class(runtime: str) -> Any:
    try:
        with _quiet_stderr():
            return importlib.import_module(_RUNTIMES[runtime]).Interpreter
    except ImportError as cause:
        raise RecognitionError(
            f"the runtime {runtime} is not installed",
            next_step="Set [recognition] runtime to the one that is",
        ) from cause


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Sends what C code prints on stderr to /dev/null. Only while loading, before other threads."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
