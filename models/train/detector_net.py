"""The detector: plain 3x3 convolutions, one class, heat and four corner offsets at stride 8."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

STRIDE = 8
INPUT = (384, 640)  # H, W px the device uses; the net itself takes any multiple of 32
CORNER_UNIT = 16.0  # px per unit of the corner output
ARCH = (16, 16, 48, 80, 112)


class _Conv(nn.Sequential):
    """3x3 (or 1x1) convolution, batch norm, ReLU6."""

    def __init__(self, inward: int, outward: int, size: int = 3, step: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inward, outward, size, step, size // 2, bias=False),
            nn.BatchNorm2d(outward),
            nn.ReLU6(),
        )


class _Block(nn.Module):
    """One convolution with a way round it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = _Conv(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


class DetectorNet(nn.Module):
    """Grey picture in, plates out.

    Input float (N, 1, H, W), already x/64 - 2.  Outputs `heat` logits (N, 1, H/8, W/8) and
    `corners` (N, 8, H/8, W/8): TL, TR, BR, BL as (x - cx)/16, (y - cy)/16 of the cell's centre.
    """

    def __init__(self, arch: tuple[int, int, int, int, int] = ARCH) -> None:
        super().__init__()
        half, quarter, eighth, sixteenth, thirtysecond = arch
        self.arch = tuple(arch)
        self.to_4 = nn.Sequential(
            _Conv(1, half, step=2), _Conv(half, quarter, step=2), _Conv(quarter, quarter)
        )
        self.to_8 = nn.Sequential(_Conv(quarter, eighth, step=2), _Block(eighth), _Block(eighth))
        self.to_16 = nn.Sequential(
            _Conv(eighth, sixteenth, step=2), _Block(sixteenth), _Block(sixteenth)
        )
        self.to_32 = nn.Sequential(
            _Conv(sixteenth, thirtysecond, step=2), _Block(thirtysecond), _Block(thirtysecond)
        )
        self.from_32 = _Conv(thirtysecond, sixteenth, size=1)
        self.join_16 = _Conv(sixteenth, eighth)
        self.join_8 = _Conv(eighth, eighth)
        self.last = _Conv(eighth, eighth)
        self.heat = nn.Conv2d(eighth, 1, 1)
        self.corners = nn.Conv2d(eighth, 8, 1)
        nn.init.constant_(self.heat.bias, -4.0)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        at_8 = self.to_8(self.to_4(x))
        at_16 = self.to_16(at_8)
        at_32 = self.to_32(at_16)
        joined = self.join_16(at_16 + _double(self.from_32(at_32)))
        joined = self.last(self.join_8(at_8 + _double(joined)))
        return self.heat(joined), self.corners(joined)


def _double(x: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def count_macs(net: nn.Module, height: int, width: int) -> int:
    """Multiply-accumulates of one picture of height x width px."""
    total = 0

    def add(module: nn.Conv2d, _: object, out: torch.Tensor) -> None:
        nonlocal total
        total += out[0].numel() * module.weight[0].numel()

    hooks = [m.register_forward_hook(add) for m in net.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        net(torch.zeros(1, 1, height, width))
    for hook in hooks:
        hook.remove()
    return total
