"""What becomes of findings: sinks that draw or write them. The album is one; nothing is kept that no sink asked for."""

from tumorscope.results.album import Album
from tumorscope.results.sink import Drawable, Sink

__all__ = ["Album", "Drawable", "Sink"]
