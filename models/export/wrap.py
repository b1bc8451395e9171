"""The trained nets as the device sees them: raw grey pixels in, finished numbers out, NHWC.

Normalisation (x / 64 - 2) lies inside, so the device hands over the picture's own bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.train.detector_net import DetectorNet
from models.train.recogniser_net import RecogniserNet

WORK = Path(__file__).resolve().parents[1] / ".work"


class WrappedDetector(nn.Module):
    """(1, H, W, 1) grey 0..255 -> heat (1, h, w, 1) 0..1 and corners (1, h, w, 8)."""

    def __init__(self, net: DetectorNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        heat, corners = self.net(x.permute(0, 3, 1, 2) * (1 / 64) - 2)
        return torch.sigmoid(heat).permute(0, 2, 3, 1), corners.permute(0, 2, 3, 1)


class WrappedRecogniser(nn.Module):
    """(1, H, W, 1) grey 0..255 -> CTC logits (1, T, 37)."""

    def __init__(self, net: RecogniserNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.net(x.permute(0, 3, 1, 2) * (1 / 64) - 2)
        return logits


@dataclass(frozen=True, slots=True)
class Trained:
    """A net ready for export; `meta` is its checkpoint without the weights."""

    name: str
    module: nn.Module
    shape: tuple[int, int, int, int]
    meta: dict[str, Any]


def trained_detector(path: Path = WORK / "detector" / "best.pt") -> Trained:
    """Load the detector's checkpoint."""
    checkpoint = torch.load(path, weights_only=True)
    net = DetectorNet(tuple(checkpoint["arch"]))
    net.load_state_dict(checkpoint.pop("state"))
    height, width = checkpoint["input"]
    return Trained("detector", WrappedDetector(net).eval(), (1, height, width, 1), checkpoint)


def trained_recogniser(path: Path = WORK / "recogniser" / "best.pt") -> Trained:
    """Load the recogniser's checkpoint."""
    checkpoint = torch.load(path, weights_only=True)
    net = RecogniserNet(**checkpoint["arch"])
    net.load_state_dict(checkpoint.pop("state"))
    height, width = checkpoint["input"]
    return Trained("recogniser", WrappedRecogniser(net).eval(), (1, height, width, 1), checkpoint)
