"""Build ``src/tumorscope/catalog/benchmark.npz``: the folds of the public sets, keyed by fingerprint.

    python tools/make_benchmark.py masoud_7023=DIR sartaj_3264=DIR brisc2025=DIR lgg_kaggle_3m=DIR navoneel_253=DIR

Each NAME=DIR says where a set lies. All are read into one catalog, grouped (twins, patients, series, the folds of the
Cheng set) and spread over five folds with seed 0, balanced by set, label and sequence. The same
data give the same file.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tumorscope.catalog import Catalog, add_groups, build_catalog
from tumorscope.catalog.benchmark import FILE
from tumorscope.catalog.parts import FOLDS
from tumorscope.catalog.splits import spread_folds
from tumorscope.cli.terminal import Reporter
from tumorscope.files.atomic import replacing
from tumorscope.twins.atlas import load_atlas
from tumorscope.twins.fingerprints import COMPACT_DIGEST_BYTES, quantize
from tumorscope.twins.structure import spectra

TARGET = Path(__file__).resolve().parents[1] / "src/tumorscope/catalog" / FILE
CHENG = "cheng_3064"
SEED = 0


def main(arguments: list[str]) -> None:
    """Read the sets, write the file, print how the folds came out."""
    named = dict(argument.split("=", 1) for argument in arguments)
    with Reporter() as progress:
        catalog = add_groups(build_catalog(list(named.values()), progress=progress), progress=progress)
    names = dict(zip(catalog.roots, named, strict=True))
    table = catalog.table.assign(dataset=[names[name] for name in catalog.table["dataset"]])
    folds = spread_folds(table, SEED)
    arrays = pack(catalog.with_table(table), folds, [*named, CHENG])
    with replacing(TARGET) as path:
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    print(pd.crosstab([table["dataset"], table["label"]], folds).to_string())
    print(f"{len(arrays['digests'])} pictures, {len(arrays['heads'])} of them with a print of the head, seed {SEED}")
    print(f"{TARGET.stat().st_size / 1e6:.2f} MB")


def pack(catalog: Catalog, folds: np.ndarray[Any, Any], names: list[str]) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays of the file, one row a different picture.

    Args:
        catalog: with groups; its data sets are named as the benchmark names them.
        folds: int ``(n,)``, 1 to 5.
        names: of the sets, the Cheng set last.
    """
    table, prints = catalog.table, catalog.prints
    assert prints is not None
    digests = prints.digests[:, :COMPACT_DIGEST_BYTES]
    firsts, picture = np.unique(digests, axis=0, return_index=True, return_inverse=True)[1:]
    index = load_atlas().recognize(prints.take(firsts))["index"].fillna(0).to_numpy(np.int64)
    member = np.zeros(len(firsts), np.uint8)
    for row, name in zip(picture.ravel(), table["dataset"], strict=True):
        member[row] |= 1 << names.index(name)
    cheng = np.full(len(load_atlas()), 1 << names.index(CHENG), np.uint8)
    for number, sets in zip(index, member, strict=True):
        if number:
            cheng[number - 1] |= sets
    unknown = np.flatnonzero(index == 0)
    return {
        "names": np.array(names),
        "digests": digests[firsts],
        "folds": folds[firsts].astype(np.uint8),
        "member": np.where(index > 0, member | 1 << names.index(CHENG), member).astype(np.uint8),
        "heads": quantize(spectra(prints.take(firsts[unknown]).heads)),
        "head_rows": unknown.astype(np.int32),
        "cheng": cheng,
        "seed": np.array([SEED, FOLDS], np.int16),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
