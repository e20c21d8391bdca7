"""A folder of pictures -> a table with one row a slice, its twins, its groups and its split."""

from tumorscope.catalog.build import build_catalog
from tumorscope.catalog.groups import add_groups
from tumorscope.catalog.labels import cover_matrix
from tumorscope.catalog.layouts import list_data
from tumorscope.catalog.splits import assign_split
from tumorscope.catalog.table import COLUMNS, Catalog, write_catalog

__all__ = [
    "COLUMNS",
    "Catalog",
    "add_groups",
    "assign_split",
    "build_catalog",
    "cover_matrix",
    "list_data",
    "write_catalog",
]
