"""Any file -> `Scan`: one reader a format, picked by content."""

from tumorscope.scans.picture import DEEP_MODES
from tumorscope.scans.registry import READERS, looks_like_scan, read_scan
from tumorscope.scans.scan import CHANNELS, LGG_DEFAULT_CHANNEL, LGG_SEQUENCES, MAX_PIXELS, Channels, Scan

__all__ = [
    "CHANNELS",
    "DEEP_MODES",
    "LGG_DEFAULT_CHANNEL",
    "LGG_SEQUENCES",
    "MAX_PIXELS",
    "READERS",
    "Channels",
    "Scan",
    "looks_like_scan",
    "read_scan",
]
