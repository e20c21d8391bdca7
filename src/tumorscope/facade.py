"""What a user of the package gets: what was found, with its page, its tables and its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from tumorscope.audits.audit import Audited
from tumorscope.evaluation.measured import Measured

if TYPE_CHECKING:
    from rich.console import RenderableType


class Audit(Audited):
    """What an audit found, which prints, writes and shows itself; see `Audited` for its attributes."""

    @classmethod
    def of(cls, audited: Audited) -> Self:
        """Return what was found with its page and tables."""
        return cls(**vars(audited))

    def report(self, out: str | Path | None = None) -> None:
        """Print the audit as tables to stdout and, with `out`, write its files there (see `write_audit`)."""
        from rich.console import Console

        from tumorscope.pages.audit import write_audit

        Console().print(self.table())
        if out is not None:
            write_audit(self, Path(out))

    def table(self) -> RenderableType:
        """Return the audit as tables for a terminal, to be printed by rich."""
        from tumorscope.audits.text import audit_text

        return audit_text(self.summary)

    def _repr_html_(self) -> str:
        from tumorscope.pages.audit import audit_page
        from tumorscope.pages.frame import in_frame

        return in_frame(audit_page(self), "tumorscope audit")


class Evaluation(Measured):
    """What a model did on a set, which prints, writes and shows itself; see `Measured` for its attributes."""

    @classmethod
    def of(cls, measured: Measured) -> Self:
        """Return what was measured with its page and tables."""
        return cls(**vars(measured))

    def report(self, out: str | Path | None = None) -> None:
        """Print the evaluation as tables to stdout and, with `out`, write its files there (see `write_evaluation`)."""
        from rich.console import Console

        from tumorscope.evaluation.text import evaluation_text
        from tumorscope.pages.evaluation import write_evaluation

        Console().print(evaluation_text(self))
        if out is not None:
            write_evaluation(self, out)

    def _repr_html_(self) -> str:
        from tumorscope.pages.evaluation import report_page
        from tumorscope.pages.frame import in_frame

        return in_frame(report_page(self), "tumorscope evaluation")
