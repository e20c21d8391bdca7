"""Reading server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """One event: its name, its data, and the id with which one asks for what follows."""

    name: str
    data: str
    id: str


@dataclass
class EventReader:
    r"""Takes a stream in pieces of any size and gives the events that are complete.

    >>> reader = EventReader()
    >>> reader.feed(b"event: end\nid: 7\nda")
    []
    >>> reader.feed(b"ta: {}\n\n: a comment\n\n")
    [Event(name='end', data='{}', id='7')]
    """

    last_id: str = ""
    _id: str | None = None
    _rest: bytes = b""
    _name: str = ""
    _data: list[str] = field(default_factory=list)

    def feed(self, piece: bytes) -> list[Event]:
        """Return the events that end in this piece."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        events = [self._line(line.removesuffix(b"\r").decode("utf-8", "replace")) for line in lines]
        return [event for event in events if event is not None]

    def _line(self, line: str) -> Event | None:
        if not line:
            return self._end()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)
        elif name == "id":
            self._id = value
        return None

    def _end(self) -> Event | None:
        name, data = self._name or "message", self._data
        self._name, self._data = "", []
        self.last_id = self.last_id if self._id is None else self._id  # not before the event is whole
        return Event(name, "\n".join(data), self.last_id) if data else None
