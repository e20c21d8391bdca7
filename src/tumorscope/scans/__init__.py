"""Any file -> `Scan`: one reader a format, picked by content."""

from tumorscope.scans.registry import READERS, read_scan
from tumorscope.scans.scan import CHANNELS, LGG_DEFAULT_CHANNEL, LGG_SEQUENCES, Channels, Scan

__all__ = ["CHANNELS", "LGG_DEFAULT_CHANNEL", "LGG_SEQUENCES", "READERS", "Channels", "Scan", "read_scan"]
