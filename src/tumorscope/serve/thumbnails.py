"""A slice on disk as a small picture, made here: no byte of the file itself is ever sent."""

from __future__ import annotations

import io
from pathlib import Path

SIDE = 320
"""Pixels of the longer side, enough for a screen that shows it at 160."""
QUALITY = 84
MEDIA_TYPE = "image/jpeg"


def thumbnail(file: Path, index: int = 0, channel: int | None = None, side: int = SIDE) -> bytes:
    """Return a slice as JPEG whose longer side is `side`, gray, without anything of the file's own metadata.

    Args:
        file: a file that `open_scan` opens.
        index: which slice of it.
        channel: which of three sequences, None for the usual one.
        side: pixels of the longer side; a smaller picture is enlarged.

    Raises:
        ScanError: it cannot be read.
    """
    import cv2
    import numpy as np
    from PIL import Image

    from tumorscope.scans import read_slice

    gray = read_slice(file, index, channel)
    scale = side / max(gray.shape)
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    levels = np.clip(np.rint(small), 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(levels).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
