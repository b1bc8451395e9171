"""The plate recogniser's network: convolutions only, ReLU6, one CTC reading per cut-out.

Rules
- Nothing but convolution, batch norm, ReLU6 and one addition per residual block, so that the
  exported file quantises to int8 without a fallback operator.
- The vertical axis is folded away step by step; the horizontal axis keeps a quarter of the
  input's width and becomes CTC time.
- Importing this module needs only torch and has no side effects.

Source: A. Graves et al., "Connectionist temporal classification" (ICML 2006).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BLANK = len(ALPHABET)
CLASSES = BLANK + 1


class Residual(nn.Module):
    """Two 3x3 convolutions around an identity; (N, C, H, W) to the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv_block(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.act = nn.ReLU6()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.act(x + self.norm(self.second(self.first(x))))
        return out


class RecogniserNet(nn.Module):
    """Grey cut-out (N, 1, H, W), values (pixel / 64 - 2), to CTC logits (N, W / 4, 37).

    H must be a multiple of 16. `widths` are the channels of the five stages, `depths` the
    residual blocks of stages 2 to 4, `neck` the channels of the row that reads sideways.
    """

    def __init__(
        self,
        height: int = 48,
        widths: tuple[int, int, int, int] = (24, 56, 80, 112),
        depths: tuple[int, int, int] = (1, 1, 0),
        neck: int = 160,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if height % 16:
            raise ValueError(f"height must be a multiple of 16, got {height}")
        stem, low, middle, high = widths
        layers: list[nn.Module] = [conv_block(1, stem, stride=(2, 2))]
        layers += [conv_block(stem, low, stride=(2, 2)), *_residuals(low, depths[0])]
        layers += [conv_block(low, middle, stride=(2, 1)), *_residuals(middle, depths[1])]
        layers += [conv_block(middle, high, stride=(2, 1)), *_residuals(high, depths[2])]
        self.trunk = nn.Sequential(*layers)
        self.fold = conv_block(high, neck, kernel=(height // 16, 1), padding=(0, 0))
        self.sideways = conv_block(neck, neck, kernel=(1, 5), padding=(0, 2))
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(neck, CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        row = self.sideways(self.fold(self.trunk(x)))
        logits: Tensor = self.head(self.dropout(row))
        return logits.squeeze(2).permute(0, 2, 1)


def conv_block(
    inputs: int,
    outputs: int,
    kernel: tuple[int, int] = (3, 3),
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] | None = None,
) -> nn.Sequential:
    """Convolution, batch norm, ReLU6; `padding` None keeps the size at stride 1."""
    pad = (kernel[0] // 2, kernel[1] // 2) if padding is None else padding
    conv = nn.Conv2d(inputs, outputs, kernel, stride, pad, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU6())


def multiply_accumulates(net: nn.Module, height: int, width: int) -> int:
    """Multiply-accumulates of one forward pass at (1, 1, height, width)."""
    total = 0

    def count(module: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output.numel() * module.weight[0].numel()

    hooks = [module.register_forward_hook(count) for module in net.modules()]
    was_training = net.training
    with torch.no_grad():
        net.eval()(torch.zeros(1, 1, height, width))
    net.train(was_training)
    for hook in hooks:
        hook.remove()
    return total


def _residuals(channels: int, count: int) -> list[nn.Module]:
    return [Residual(channels) for _ in range(count)]
