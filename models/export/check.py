"""Does an exported file say what the PyTorch net says?  And how long does it take?

`python -m models.export.check` times the four files in models/ on this machine.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter

from .wrap import Trained

MODELS = Path(__file__).resolve().parents[1]
FP32_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Verdict:
    """Agreement of a file with its net over some pictures, and its CPU time."""

    name: str
    precision: str
    largest_difference: float
    agreement: float  # share of pictures with the same best reading or the same strongest cell
    cpu_ms: float


class Runner:
    """One TFLite model on one thread; pixels in, float outputs out, in the file's order."""

    def __init__(self, model: bytes) -> None:
        self._model = Interpreter(model_content=model, num_threads=1)
        self._model.allocate_tensors()
        self._input = self._model.get_input_details()[0]
        self._outputs = self._model.get_output_details()

    def run(self, grey: np.ndarray) -> list[np.ndarray]:
        """Outputs for grey uint8 (H, W), dequantised."""
        batch = grey[None, :, :, None]
        eight = self._input["dtype"] is np.int8
        pixels = (batch ^ 0x80).view(np.int8) if eight else batch.astype(np.float32)
        self._model.set_tensor(self._input["index"], pixels)
        self._model.invoke()
        return [self._output(details) for details in self._outputs]

    def cpu_ms(self, rounds: int = 20) -> float:
        """Least CPU time of one pass, ms, over some rounds."""
        spent = []
        for _ in range(rounds):
            start = time.process_time()
            self._model.invoke()
            spent.append(time.process_time() - start)
        return min(spent) * 1000

    def _output(self, details: dict) -> np.ndarray:
        values = self._model.get_tensor(details["index"]).astype(np.float32)
        scale, zero = details["quantization"]
        return (values - zero) * scale if scale else values


def compare(
    trained: Trained, precision: str, model: bytes, pictures: Sequence[np.ndarray]
) -> Verdict:
    """Run file and net on the same pictures; raise ValueError if the fp32 file strays."""
    runner = Runner(model)
    largest, same = 0.0, 0
    for picture in pictures:
        with torch.no_grad():
            given = torch.from_numpy(picture[None, :, :, None].astype(np.float32))
            wanted = trained.module(given)
        wanted = [x.numpy() for x in (wanted if isinstance(wanted, tuple) else (wanted,))]
        got = runner.run(picture)
        ordered = [next(g for g in got if g.shape == w.shape) for w in wanted]
        largest = max(
            largest, *(float(np.abs(w - g).max()) for w, g in zip(wanted, ordered, strict=True))
        )
        same += _says(trained.name, wanted[0]) == _says(trained.name, ordered[0])
    if precision == "fp32" and largest > FP32_TOLERANCE:
        raise ValueError(f"{trained.name} fp32 differs by {largest}")
    share = round(same / len(pictures), 3)
    return Verdict(trained.name, precision, round(largest, 6), share, round(runner.cpu_ms(), 2))


def _says(name: str, output: np.ndarray) -> tuple[int, ...]:
    """The reading of logits (1, T, 37), or the strongest cell of heat, if it is sure of one."""
    if name == "detector":
        return (int(output.argmax()),) if output.max() > 0.3 else ()
    best = output[0].argmax(-1)
    blank = output.shape[-1] - 1
    return tuple(int(c) for i, c in enumerate(best) if c != blank and (i == 0 or c != best[i - 1]))


def main() -> None:
    """Time the files that lie in models/."""
    for path in sorted(MODELS.glob("*.tflite")):
        runner = Runner(path.read_bytes())
        print(
            f"{path.name:26s} {path.stat().st_size / 1e6:5.2f} MB {runner.cpu_ms(60):6.2f} ms CPU"
        )


if __name__ == "__main__":
    main()
