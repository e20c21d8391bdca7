"""The imports of the package keep to the table of rooms in CONTRIBUTING.md, and its files stay readable."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "tumorscope"
ALL_ABOVE = "all above"
LONGEST = 300
TORCH_ROOM = "training/"
TORCH = {"torch", "torchvision", "torchmetrics", "timm", "lightning"}


@dataclass(frozen=True)
class Import:
    """One module of the package that another, or an outside one, is imported from.

    Attributes:
        source: the importing file, relative to the package.
        target: the imported file likewise, or the name of an outside package.
        at_start: whether it happens when the importing module is loaded.
    """

    source: str
    target: str
    at_start: bool


def test_imports_go_up_the_table_and_never_down():
    upward = {
        f"{one.source} imports {one.target}"
        for one in _imports()
        if one.target in _files() and not _may_see(_room(one.source), _room(one.target))
    }
    assert not upward


def test_every_file_has_a_room_and_every_room_is_there():
    rooms = list(chain.from_iterable(rooms for rooms, _ in _table()))
    missing = {f"{room} is not there" for room in rooms if not (SRC / room).exists()}
    homeless = {f"{file} has no row in CONTRIBUTING.md" for file in _files() if _room(file) is None}
    assert len(rooms) == len(set(rooms)), "a room has two rows"
    assert not missing | homeless


def test_no_files_import_each_other_in_a_circle():
    reached = _reached({file: {one.target for one in _imports() if one.source == file} for file in _files()})
    circles = {
        ", ".join(sorted(other for other in reached[file] if file in reached.get(other, ())))
        for file in _files()
        if file in reached[file]
    }
    assert not circles


def test_no_file_is_longer_than_a_reader_likes():
    files = [*SRC.rglob("*.py"), *SRC.rglob("*.js")]
    long = [file for file in files if file.read_text(encoding="utf-8").count("\n") > LONGEST]
    assert not {file.relative_to(SRC).as_posix() for file in long}


def test_what_is_no_training_loads_no_torch():
    """Neither itself, nor by what is loaded with it: what it imports at its start, and the packages that it is in."""
    packages = {
        file: {f"{folder}/__init__.py".removeprefix("./") for folder in Path(file).parents} for file in _files()
    }
    loaded = {
        file: packages[file] | {one.target for one in _imports() if one.source == file and one.at_start}
        for file in _files()
    }
    reached = _reached(loaded)
    assert not {file for file in _files() if _room(file) != TORCH_ROOM and reached[file] & TORCH}


@pytest.mark.parametrize(
    ("source", "target", "allowed"),
    [
        ("scans/picture.py", "errors.py", True),
        ("errors.py", "scans/picture.py", False),
        ("scans/registry.py", "scans/picture.py", True),
        ("inference/model.py", "tasks/threads.py", True),
        ("inference/model.py", "training/run.py", False),
        ("client/sync.py", "findings/finding.py", True),
        ("client/sync.py", "inference/model.py", False),
        ("findings/finding.py", "words.py", False),
        ("catalog/layouts/brisc.py", "twins/atlas.py", True),
        ("twins/atlas.py", "catalog/table.py", False),
    ],
)
def test_the_table_means_what_its_text_says(source, target, allowed):
    assert _may_see(_room(source), _room(target)) is allowed


@cache
def _table() -> list[tuple[list[str], list[str] | None]]:
    """Return the rooms of each row, and the rooms that they may see beside each other: None is all above."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## The house", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:2] == "| "]
    return [(_names(row[0]), None if row[2] == ALL_ABOVE else _names(row[2])) for row in rows[1:]]


def _names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _room(file: str) -> str | None:
    """Return the room of a file: the one that names it most closely."""
    rooms = chain.from_iterable(rooms for rooms, _ in _table())
    return max((room for room in rooms if room == file or file.startswith(room)), key=len, default=None)


def _may_see(source: str | None, target: str | None) -> bool:
    place = {room: row for row, (rooms, _) in enumerate(_table()) for room in rooms}
    if source not in place or target not in place:
        return False
    seen = _table()[place[source]][1]
    if place[source] == place[target]:
        return True
    return place[target] < place[source] if seen is None else target in seen


@cache
def _files() -> frozenset[str]:
    return frozenset(file.relative_to(SRC).as_posix() for file in SRC.rglob("*.py"))


@cache
def _imports() -> tuple[Import, ...]:
    return tuple(chain.from_iterable(_imports_of(file) for file in sorted(_files())))


def _imports_of(file: str) -> Iterator[Import]:
    tree = ast.parse((SRC / file).read_text(encoding="utf-8"))
    late = {id(node) for branch in ast.walk(tree) if _is_late(branch) for node in ast.walk(branch)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: imports of the package are absolute"
            names = [_module_of(str(node.module), alias.name) for alias in node.names]
        else:
            continue
        yield from (Import(file, _file_of(name) or name.split(".")[0], id(node) not in late) for name in names)


def _is_late(node: ast.AST) -> bool:
    """Whether what is under it does not happen when the module is loaded."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def _module_of(module: str, name: str) -> str:
    """Return where a name comes from: itself, where it is a module."""
    return f"{module}.{name}" if _file_of(f"{module}.{name}") else module


def _file_of(module: str) -> str | None:
    """Return the file of a module of the package, None of an outside one."""
    first, *rest = module.split(".")
    if first != "tumorscope":
        return None
    path = "/".join(rest)
    candidates = (f"{path}.py", f"{path}/__init__.py") if path else ("__init__.py",)
    return next((candidate for candidate in candidates if candidate in _files()), None)


def _reached(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return all that can be come to from each node of a graph in one step or more."""
    reached = {}
    for start, nearest in graph.items():
        found: set[str] = set()
        waiting = list(nearest)
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += graph.get(node, ())
        reached[start] = found
    return reached
