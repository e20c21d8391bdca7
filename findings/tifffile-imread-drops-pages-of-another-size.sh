#!/usr/bin/env bash
# tifffile: `imread` of a file of five pages gives one page, or four, in silence, where the pages differ in size.
#
# Versions: tifffile 2026.3.3, Pillow 13.0.0, numpy 2.4.6; Python 3.11, Linux x86-64.
# Guess:    an export of a series as one TIFF, with its localizer as the first page (smaller than the slices), is read
#           whole, as a list of arrays, or refused because the pages do not fit into one array.
# Behavior: pages are put into groups of one size, and `imread` returns the first group, with no warning. With the
#           localizer first, that is the localizer alone, and no slice; with the localizer in the middle, it is the four
#           slices, whose numbers are no longer those of the pages. Pillow counts five frames in both.
# Seen:     localizer first: (12, 16), of 5 pages, 0 warnings; in the middle: (4, 24, 32), of 5 pages, 0 warnings.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check tifffile==2026.3.3 pillow==13.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import sys
import warnings

import numpy as np
import PIL
import tifffile
from PIL import Image

localizer = np.full((12, 16), 200, np.uint8)
slices = [np.full((24, 32), 40 * number, np.uint8) for number in range(4)]
seen = {}
for place, pages in (("first", [localizer, *slices]), ("in the middle", [*slices[:2], localizer, *slices[2:]])):
    first, *others = map(Image.fromarray, pages)
    first.save("series.tif", save_all=True, append_images=others)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        shape = tifffile.imread("series.tif").shape
    with tifffile.TiffFile("series.tif") as file, Image.open("series.tif") as image:
        seen[place] = shape, len(file.pages), image.n_frames, len(warned)
    print(f"localizer {place}: {shape}, of {seen[place][1]} pages, {len(warned)} warnings")
print(f"tifffile {tifffile.__version__}, Pillow {PIL.__version__}, numpy {np.__version__}")
expected = {"first": ((12, 16), 5, 5, 0), "in the middle": ((4, 24, 32), 5, 5, 0)}
sys.exit(seen != expected)
PYTHON
