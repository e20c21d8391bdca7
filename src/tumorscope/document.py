"""What other programs read of ours, as models: their keys are fixed, and their JSON Schemas are published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

Interval = tuple[float, float]


class Document(BaseModel):
    """A document, or a part of one; a key that it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return plain data as this document writes it: the same keys, those that are left out still left out.

        Raises:
            pydantic.ValidationError: a key is missing, unknown or of another type: a fault of ours.
        """
        return cls.model_validate(values).model_dump(mode="json", by_alias=True, exclude_unset=True)
