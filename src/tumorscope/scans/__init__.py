"""Any file -> `Scan`: one reader a format, picked by content."""

from tumorscope.scans.registry import READERS, read_scan
from tumorscope.scans.scan import LGG_DEFAULT_CHANNEL, LGG_SEQUENCES, Scan

__all__ = ["LGG_DEFAULT_CHANNEL", "LGG_SEQUENCES", "READERS", "Scan", "read_scan"]
