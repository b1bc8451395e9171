"""Train the detector: `python -m models.train.detector --minutes 90 --resume`.

One training thread and one render process.  Progress lives under models/.work/detector/:
last.pt (everything needed to go on), best.pt (the averaged weights that did best on the real
choice sets) and log.jsonl (one line an evaluation).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from models.synth.scene_photos import load_photo_sets

from .detector_feed import Feed
from .detector_net import ARCH, INPUT, DetectorNet, count_macs
from .detector_score import Detect, DevSet, choice_score, load_dev_sets, measure
from .detector_targets import detector_loss

WORK = Path(__file__).resolve().parents[1] / ".work" / "detector"
PEAK_RATE, WARM_STEPS, DECAY, CLIP = 2e-3, 150, 1e-3, 8.0
CORNER_SHARE = 3.0
EMA = 0.997


@dataclass(slots=True)
class Progress:
    """What a resumed run needs beside the weights."""

    step: int = 0
    spent_s: float = 0.0
    best: float = -1.0


def main() -> None:
    """Train for the minutes asked, evaluating and saving as it goes."""
    args = _arguments()
    WORK.mkdir(parents=True, exist_ok=True)
    os.nice(max(0, 19 - os.nice(0)))
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    net = DetectorNet(ARCH).to(memory_format=torch.channels_last)
    mean = deepcopy(net).eval()
    optimiser = torch.optim.AdamW(net.parameters(), PEAK_RATE, weight_decay=DECAY)
    progress = Progress()
    if args.resume and (WORK / "last.pt").exists():
        progress = _resume(net, mean, optimiser)
    dev = load_dev_sets(load_photo_sets())
    print(f"{count_macs(mean, *INPUT) / 1e6:.0f} M MACs at {INPUT}", flush=True)
    feed = Feed(args.seed + progress.step, args.full_share)
    try:
        _train(args, (net, mean), optimiser, progress, (feed, dev))
    finally:
        feed.close()


def _train(
    args: argparse.Namespace,
    nets: tuple[DetectorNet, DetectorNet],
    optimiser: torch.optim.Optimizer,
    progress: Progress,
    sources: tuple[Feed, dict[str, DevSet]],
) -> None:
    net, mean = nets
    feed, dev = sources
    start, budget = time.monotonic() - progress.spent_s, args.minutes * 60
    evaluate_at = progress.spent_s + args.first_evaluation
    losses: list[tuple[float, float]] = []
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    while not stop and (spent := time.monotonic() - start) < budget:
        _set_rate(optimiser, args.rate, progress.step, spent / budget)
        losses.append(_step(net, optimiser, feed))
        progress.step += 1
        _average(mean, net, progress.step)
        if spent >= evaluate_at:
            progress.spent_s = spent
            _evaluate(mean, dev, progress, np.mean(losses[-200:], 0).tolist(), feed)
            _save_last(net, mean, optimiser, progress)
            evaluate_at = time.monotonic() - start + args.evaluate_every
    progress.spent_s = spent
    if not stop:
        _evaluate(mean, dev, progress, np.mean(losses[-200:], 0).tolist(), feed)
    _save_last(net, mean, optimiser, progress)


def _step(net: DetectorNet, optimiser: torch.optim.Optimizer, feed: Feed) -> tuple[float, float]:
    batch = feed.next()
    pictures = prepared(torch.from_numpy(batch.pictures))
    maps = torch.from_numpy(batch.maps).float()
    net.train()
    heat, corners = net(pictures)
    heat_loss, corner_loss = detector_loss(heat, corners, maps)
    optimiser.zero_grad(set_to_none=True)
    (heat_loss + CORNER_SHARE * corner_loss).backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
    optimiser.step()
    return float(heat_loss.detach()), float(corner_loss.detach())


def prepared(pictures: torch.Tensor) -> torch.Tensor:
    """uint8 (N, H, W) -> the net's input (N, 1, H, W)."""
    x = pictures.unsqueeze(1).float().div_(64).sub_(2)
    return x.contiguous(memory_format=torch.channels_last)


def detect_with(net: DetectorNet) -> Detect:
    """A function for detector_score.measure."""

    def detect(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            heat, corners = net(prepared(torch.from_numpy(pictures)))
        return torch.sigmoid(heat.float())[:, 0].numpy(), corners.float().numpy()

    return detect


def _set_rate(optimiser: torch.optim.Optimizer, peak: float, step: int, share: float) -> None:
    rate = (
        peak
        * min(1.0, (step + 1) / WARM_STEPS)
        * (0.5 * (1 + np.cos(np.pi * min(1, share))) + 0.01)
    )
    for group in optimiser.param_groups:
        group["lr"] = float(rate)


@torch.no_grad()
def _average(mean: DetectorNet, net: DetectorNet, step: int) -> None:
    keep = min(EMA, (1 + step) / (20 + step))
    for slow, fast in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if slow.dtype.is_floating_point:
            slow.lerp_(fast, 1 - keep)
        else:
            slow.copy_(fast)


def _evaluate(
    mean: DetectorNet, dev: dict[str, DevSet], progress: Progress, losses: list[float], feed: Feed
) -> None:
    detect = detect_with(mean)
    figures = {name: measure(detect, pictures) for name, pictures in dev.items()}
    score = choice_score(figures)
    line = {"step": progress.step, "spent_s": round(progress.spent_s), "score": round(score, 4)}
    line |= {"losses": [round(x, 3) for x in losses], "fresh": feed.fresh, "again": feed.again}
    with (WORK / "log.jsonl").open("a") as log:
        log.write(json.dumps(line | {"sets": figures}) + "\n")
    print(line, flush=True)
    checkpoint = {"arch": mean.arch, "state": mean.state_dict(), "input": list(INPUT)}
    checkpoint |= {"metrics": figures, "step": progress.step, "score": score}
    _save(checkpoint, WORK / "newest.pt")
    if score > progress.best:
        progress.best = score
        _save(checkpoint, WORK / "best.pt")


def _save_last(
    net: DetectorNet, mean: DetectorNet, optimiser: torch.optim.Optimizer, progress: Progress
) -> None:
    state = {
        "net": net.state_dict(),
        "mean": mean.state_dict(),
        "optimiser": optimiser.state_dict(),
    }
    state |= {"step": progress.step, "spent_s": progress.spent_s, "best": progress.best}
    _save(state, WORK / "last.pt")


def _resume(net: DetectorNet, mean: DetectorNet, optimiser: torch.optim.Optimizer) -> Progress:
    state = torch.load(WORK / "last.pt", weights_only=True)
    net.load_state_dict(state["net"])
    mean.load_state_dict(state["mean"])
    optimiser.load_state_dict(state["optimiser"])
    return Progress(state["step"], state["spent_s"], state["best"])


def _save(state: dict, path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--minutes", type=float, default=90, help="wall time in all, resumed runs included"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from models/.work/detector/last.pt"
    )
    parser.add_argument("--rate", type=float, default=PEAK_RATE, help="peak learning rate")
    parser.add_argument(
        "--full-share", type=float, default=0.12, help="share of whole-size batches"
    )
    parser.add_argument(
        "--first-evaluation", type=float, default=150, help="seconds until the first one"
    )
    parser.add_argument(
        "--evaluate-every", type=float, default=360, help="seconds between evaluations"
    )
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()
