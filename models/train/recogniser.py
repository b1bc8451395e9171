"""Train the plate recogniser on rendered plates.

    nice -n 19 .venv-models/bin/python -m models.train.recogniser --minutes 85 --resume

Rules
- Everything lands in models/.work/recogniser: last.pt (resume), best.pt (the contract with the
  export: arch, state, input, margin, metrics), log.jsonl (one line an evaluation).
- The learning rate follows the training time used so far of the time allowed, so a run that was
  stopped and resumed, even with a changed renderer, ends like one that was not.
- The weights kept are an exponential average; a checkpoint is best by the dev score alone.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from models.synth.glimpse import CutOut
from models.train.recogniser_dev import DevSet, dev_score, evaluate, load_dev_sets, to_input
from models.train.recogniser_net import ALPHABET, BLANK, RecogniserNet
from models.train.recogniser_samples import Batch, Renderer, Replay

WORK = Path(__file__).parents[1] / ".work" / "recogniser"
CUT = CutOut()
ARCH: dict[str, Any] = {
    "height": 48, "widths": (16, 48, 80, 112), "depths": (1, 1, 0), "neck": 128, "dropout": 0.02,
}  # fmt: skip
BATCH = 32
TOP_RATE = 1.5e-3
WARM_STEPS = 200
EASY_SAMPLES = 90_000
AVERAGE_DECAY = 0.998
SAVE_EVERY_S = 90
REPLAY_EVERY = 2  # every second batch is fresh


@dataclass(slots=True)
class Progress:
    """How far training is; saved with every checkpoint."""

    steps: int = 0
    samples: int = 0
    trained_s: float = 0.0
    best: float = -1.0


class Trainer:
    """Network, its running average, optimiser and progress."""

    def __init__(self) -> None:
        self.net = _new_net()
        self.average = _new_net()
        self.average.load_state_dict(self.net.state_dict())
        self.optimiser = torch.optim.AdamW(self.net.parameters(), TOP_RATE, weight_decay=1e-3)
        self.progress = Progress()

    def step(self, batch: Batch, rate: float) -> float:
        """One optimiser step; returns the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.net.train()
        pixels = to_input(batch.pixels).contiguous(memory_format=torch.channels_last)
        loss = ctc_loss(self.net(pixels), batch.texts)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.progress.steps += 1
        self.progress.samples += len(batch.texts)
        self._follow()
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Everything needed to go on."""
        state = {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "progress": {name: getattr(self.progress, name) for name in Progress.__slots__},
        }
        save_atomically(state, path)

    def restore(self, path: Path) -> None:
        """Go on from `save`."""
        state = torch.load(path, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.progress = Progress(**state["progress"])

    @torch.no_grad()
    def _follow(self) -> None:
        steps = self.progress.steps
        decay = min(AVERAGE_DECAY, (1 + steps) / (10 + steps))
        pairs = zip(self.average.state_dict().values(), self.net.state_dict().values(), strict=True)
        for kept, new in pairs:
            if kept.dtype.is_floating_point:
                kept.lerp_(new, 1 - decay)
            else:
                kept.copy_(new)


def ctc_loss(logits: Tensor, texts: list[str]) -> Tensor:
    """Mean CTC loss of logits (N, T, 37)."""
    flat = torch.tensor([ALPHABET.index(sign) for text in texts for sign in text])
    lengths = torch.tensor([len(text) for text in texts])
    count, steps, _ = logits.shape
    log_probabilities = logits.float().log_softmax(-1).permute(1, 0, 2)
    times = torch.full((count,), steps)
    return functional.ctc_loss(log_probabilities, flat, times, lengths, BLANK, zero_infinity=True)


def _new_net() -> RecogniserNet:
    net = RecogniserNet(**ARCH)
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def learning_rate(progress: Progress, minutes: float) -> float:
    """Warm-up, then a half cosine over the allowed training time."""
    share = min(1.0, progress.trained_s / (minutes * 60))
    warm = min(1.0, (progress.steps + 1) / WARM_STEPS)
    return TOP_RATE * warm * (0.5 * (1 + math.cos(math.pi * share)) + 0.005)


def train(minutes: float, seed: int, resume: bool) -> None:
    """Train until `minutes` of training time (over all resumed runs) are used."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    WORK.mkdir(parents=True, exist_ok=True)
    trainer = Trainer()
    if resume and (WORK / "last.pt").exists():
        trainer.restore(WORK / "last.pt")
    progress = trainer.progress
    renderer = Renderer(seed + progress.steps, CUT, BATCH)
    sets = load_dev_sets(CUT)
    clock, next_evaluation, next_save, losses = time.monotonic(), 0.0, 0.0, [0.0]
    replay = Replay(seed)
    while progress.trained_s < minutes * 60:
        renderer.ease(min(1.0, 0.15 + progress.samples / EASY_SAMPLES))
        if progress.steps % REPLAY_EVERY and replay.ready():
            batch = replay.batch(BATCH)
        else:
            batch = renderer.next()
            replay.keep(batch)
        losses.append(trainer.step(batch, learning_rate(progress, minutes)))
        now = time.monotonic()
        progress.trained_s += min(5.0, now - clock)
        clock = now
        if progress.trained_s > next_save:
            next_save = progress.trained_s + SAVE_EVERY_S
            trainer.save(WORK / "last.pt")
        if progress.trained_s > next_evaluation and len(losses) > 100:
            _report(trainer, sets, sum(losses[-200:]) / len(losses[-200:]))
            next_evaluation = progress.trained_s + 60 + progress.trained_s * 0.03
            losses = losses[-200:]
            clock = time.monotonic()
    _report(trainer, sets, sum(losses[-200:]) / len(losses[-200:]))
    trainer.save(WORK / "last.pt")


def save_atomically(state: dict[str, Any], path: Path) -> None:
    """Write beside, then rename: a reader never sees half a file."""
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    temporary.replace(path)


def _report(trainer: Trainer, sets: list[DevSet], loss: float) -> None:
    scores = evaluate(trainer.average, sets)
    total, progress = dev_score(scores), trainer.progress
    figures: dict[str, Any] = {
        name: [round(s.exact, 4), round(s.within_one, 4)] for name, s in scores.items()
    }
    line = {
        "samples": progress.samples, "steps": progress.steps,
        "trained_s": round(progress.trained_s), "loss": round(loss, 4), "dev": round(total, 4),
        **figures,
    }  # fmt: skip
    with (WORK / "log.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)  # noqa: T201 - progress of a command line tool
    if total > progress.best:
        progress.best = total
        state = {name: value.contiguous() for name, value in trainer.average.state_dict().items()}
        checkpoint = {
            "arch": ARCH, "state": state, "input": [CUT.height, CUT.width],
            "margin": [CUT.margin_x, CUT.margin_y], "metrics": line,
        }  # fmt: skip
        save_atomically(checkpoint, WORK / "best.pt")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Train the plate recogniser on rendered plates.")
    parser.add_argument("--minutes", type=float, default=90.0, help="training time over all runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="go on from last.pt")
    arguments = parser.parse_args()
    train(arguments.minutes, arguments.seed, arguments.resume)


if __name__ == "__main__":
    main()
