"""Slices that are copies of each other, exact or near: fingerprints, candidates, registration, twin sets.

Knows pixels and pairs, no table: the catalog takes a fingerprint of each slice it reads, and makes groups of twins.
"""

from tumorscope.twins.fingerprint import Fingerprint, fingerprint
from tumorscope.twins.fingerprints import Fingerprints
from tumorscope.twins.search import find_twins

__all__ = ["Fingerprint", "Fingerprints", "find_twins", "fingerprint"]
