"""Memory that a training gives back and wants again at every step stays with the process meanwhile.

glibc fetches a large block from the system and returns it when it is freed. A training on a CPU does so with every
feature map of every step, and the system zeroes each page anew: a fifth of all the time.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

TRIM_THRESHOLD, MMAP_MAX = -1, -4
"""Numbers of glibc's settings."""
NEVER = -1
PLAIN = {MMAP_MAX: 65_536, TRIM_THRESHOLD: 128 * 1024}
"""What glibc does unasked, see mallopt(3)."""


@contextmanager
def keeping_freed_memory() -> Iterator[bool]:
    """Keep what is freed within the block for the next allocation; give it back to the system at the end.

    Yields:
        Whether that works here: only glibc knows how.
    """
    try:
        libc = ctypes.CDLL(None)
        set_option, trim = libc.mallopt, libc.malloc_trim
    except (OSError, AttributeError, TypeError):  # another C library, or another system
        yield False
        return
    try:
        yield bool(set_option(MMAP_MAX, 0) and set_option(TRIM_THRESHOLD, NEVER))
    finally:
        for option, value in PLAIN.items():
            set_option(option, value)
        trim(0)
