"""Any file -> a `Scan` that is read slice by slice: one reader a format, picked by content."""

from tumorscope.scans.find import ScanRef, find_scans
from tumorscope.scans.registry import READERS, Reader, looks_like_scan, open_scan, read_slice
from tumorscope.scans.scan import (
    CHANNELS,
    LGG_SEQUENCES,
    MAX_PIXELS,
    MAX_SLICES,
    Channels,
    DecodedScan,
    Geometry,
    Header,
    Pixels,
    Scan,
    read_sequences,
    sequence_of,
)

__all__ = [
    "CHANNELS",
    "LGG_SEQUENCES",
    "MAX_PIXELS",
    "MAX_SLICES",
    "READERS",
    "Channels",
    "DecodedScan",
    "Geometry",
    "Header",
    "Pixels",
    "Reader",
    "Scan",
    "ScanRef",
    "find_scans",
    "looks_like_scan",
    "open_scan",
    "read_sequences",
    "read_slice",
    "sequence_of",
]
