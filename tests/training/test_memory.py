"""Freed memory is kept while a training runs, and given back after it."""

import resource

import numpy as np
import pytest

from tumorscope.training.memory import keeping_freed_memory

MEGABYTE = 1 << 20


def _faults(times=10):
    """Pages that the system had to give while so many large blocks came and went."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        np.ones(64 * MEGABYTE, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_what_is_freed_is_used_again_and_given_back_at_the_end():
    with keeping_freed_memory() as works:
        if not works:
            pytest.skip("this C library cannot be told")
        _faults(1)
        assert _faults() < 1000, "ten blocks of 16,384 pages"
        kept = _resident()
    assert _resident() < kept - 60 * MEGABYTE


def test_it_is_undone_where_the_training_fails():
    with pytest.raises(ValueError, match="diverged"), keeping_freed_memory() as works:
        raise ValueError("diverged")
    if works:
        before = _resident()
        _faults()
        assert _resident() < before + MEGABYTE
