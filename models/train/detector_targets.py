"""What the detector is taught: maps from a scene's plates, and the loss on them.

Maps are float16 (CHANNELS, H/8, W/8) per picture: heat 0..1, eight corner targets in units of
16 px from the cell's centre, the weight of exact corners, the weight of a mere box, and 1 where
nothing is to be learnt.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from models.synth.scene_view import PlateTruth

from .detector_net import CORNER_UNIT, STRIDE

CHANNELS = 12
HEAT, CORNERS, EXACT, BOX, IGNORE = 0, slice(1, 9), 9, 10, 11
CORE = 0.55  # heat above which a cell learns the corners


def target_maps(plates: Sequence[PlateTruth], height: int, width: int) -> np.ndarray:
    """Maps float16 (CHANNELS, height/8, width/8) of the plates in a picture, height x width px."""
    rows, columns = height // STRIDE, width // STRIDE
    maps = np.zeros((CHANNELS, rows, columns), np.float32)
    centre_y, centre_x = (np.mgrid[0:rows, 0:columns].astype(np.float32) + 0.5) * STRIDE
    for plate in plates:
        low, high = plate.corners.min(0), plate.corners.max(0)
        if plate.ignored:
            inside = (centre_x > low[0] - 4) & (centre_x < high[0] + 4)
            inside &= (centre_y > low[1] - 4) & (centre_y < high[1] + 4)
            maps[IGNORE][inside] = 1
            continue
        x, y = plate.corners.mean(0)
        row = int(np.clip(y / STRIDE, 0, rows - 1))
        column = int(np.clip(x / STRIDE, 0, columns - 1))
        reach_x, reach_y = np.maximum((high - low) / (7, 5), 5)
        heat = np.exp(-0.5 * (((centre_x - x) / reach_x) ** 2 + ((centre_y - y) / reach_y) ** 2))
        heat[row, column] = 1
        core = (heat > CORE) & (heat >= maps[HEAT])
        maps[HEAT] = np.maximum(maps[HEAT], heat)
        maps[EXACT][core] = plate.weight / core.sum() if plate.exact else 0
        maps[BOX][core] = 0 if plate.exact else plate.weight / core.sum()
        for index in range(4):
            maps[1 + 2 * index][core] = ((plate.corners[index, 0] - centre_x) / CORNER_UNIT)[core]
            maps[2 + 2 * index][core] = ((plate.corners[index, 1] - centre_y) / CORNER_UNIT)[core]
    return maps.astype(np.float16)


def detector_loss(
    heat_logits: torch.Tensor, corners: torch.Tensor, maps: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Heat and corner losses of a batch; corners (N, 8, h, w), maps (N, CHANNELS, h, w)."""
    wanted, learnt = maps[:, HEAT], 1 - maps[:, IGNORE]
    logits = heat_logits[:, 0].float()
    heat = torch.sigmoid(logits).clamp(1e-4, 1 - 1e-4)
    peak = (wanted >= 1).float()
    plates = peak.sum().clamp(min=1)
    found = peak * (1 - heat) ** 2 * -functional.logsigmoid(logits)
    quiet = (1 - peak) * (1 - wanted) ** 4 * heat**2 * -functional.logsigmoid(-logits)
    heat_loss = ((found + quiet) * learnt).sum() / plates
    return heat_loss, _corner_loss(corners.float(), maps) / plates


def _corner_loss(corners: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    """Rendered plates teach four corners, real boxes only the extent of the four together."""
    wanted = maps[:, CORNERS]
    # a pixel matters more on a small plate: the error is relative to the root of its height
    tall = (_extent(wanted)[:, 3] - _extent(wanted)[:, 1]).clamp(min=0.25)
    scale = tall.rsqrt()
    by_corner = functional.smooth_l1_loss(corners, wanted, reduction="none", beta=0.05).sum(1)
    by_side = functional.smooth_l1_loss(
        _extent(corners), _extent(wanted), reduction="none", beta=0.1
    ).sum(1)
    return (scale * (by_corner * maps[:, EXACT] + 1.5 * by_side * maps[:, BOX])).sum()


def _extent(corners: torch.Tensor) -> torch.Tensor:
    """x0, y0, x1, y1 (N, 4, h, w) of the quadrilaterals (N, 8, h, w)."""
    return torch.stack(
        [
            torch.minimum(corners[:, 0], corners[:, 6]),
            torch.minimum(corners[:, 1], corners[:, 3]),
            torch.maximum(corners[:, 2], corners[:, 4]),
            torch.maximum(corners[:, 5], corners[:, 7]),
        ],
        1,
    )
