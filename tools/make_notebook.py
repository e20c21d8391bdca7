"""Write and execute the notebook that walks from a folder to a report on the phantom.

usage: python tools/make_notebook.py [OUT]      (default: examples/from_folder_to_report.ipynb)

It runs in an empty folder of its own, and what differs from run to run without meaning anything is left out, so that a
new version of it shows what has really changed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tumorscope.files.atomic import write_text

OUT = Path(__file__).resolve().parent.parent / "examples" / "from_folder_to_report.ipynb"
TIMEOUT = 1800
CELLS = (
    "# From a folder to a report\n\n"
    "A data set is audited, a model is trained on it and measured, and it reads pictures. The data set is the phantom, "
    "drawn from a seed, so that nothing has to be downloaded; put the path of your own folder in its place. The "
    "figures of this notebook say nothing of MRI. Training needs `pip install 'tumorscope[train]'`.\n\n"
    "*Research use only. Not a medical device.*",
    '>import tumorscope\n\nDATA = "phantom"',
    "## 1. Can this data set measure anything?\n\n"
    "Copies and near twins, what leaks from training into test, labels that contradict each other, and how far a copy "
    'machine and the bare properties of the files get. `audit.report("audit/")` writes the page and the tables.',
    '>audit = tumorscope.audit(DATA)\naudit.report("audit/")',
    "Every row of the catalog is a slice. Slices of one patient, or twins, are a group, and no split cuts through it.",
    '>audit.catalog.table[["path", "label", "patient", "sequence", "plane", "group"]].head()',
    "## 2. Train\n\n"
    "A recipe is a short YAML file; `smoke` is the one for trying things out, `quick` and `accurate` are for MRI. The "
    "split is `grouped` unless you say otherwise, and lies in `catalog.csv` of the run folder. A training that was "
    "killed goes on with `resume=True`.",
    '>run = tumorscope.train(DATA, recipe="smoke", out="runs/smoke")\n'
    "sorted(path.name for path in run.folder.iterdir())",
    '>from IPython.display import Image\n\nImage(filename=run.folder / "curves.png", width=760)',
    "## 3. Measure\n\n"
    "The training has already measured its test part: `report.html` and `metrics.json` lie in the run folder. Any "
    "model can be measured on any data, here the run's own; what the model has seen is taken out.",
    '>model = tumorscope.load(run.model)\nevaluation = tumorscope.evaluate(model, DATA)\nevaluation.report("eval/")',
    "Every figure has its n and its 95% interval, a bootstrap over patients.",
    ">import pandas as pd\n\n"
    "figures = evaluation.figures[evaluation.headline]\n"
    "pd.DataFrame({name: figure.model_dump() for name, figure in figures.items()}).T",
    "## 4. Read pictures\n\n"
    "Files or folders in, findings out: the label, the probability of a tumor, the kinds that cannot be ruled out, and "
    "what to be careful of. With `out`, every picture gets a heatmap: what glows spoke for the tumor.",
    '>files = evaluation.findings.groupby("label").tail(2)["file"]  # of the test part\n'
    'findings = model.predict(list(files), out="predictions/")\n'
    "table = findings.to_frame()\n"
    'table["file"] = table["file"].str.split("/").str[-1]\n'
    'table[["file", "label", "tumor_probability", "prediction_set", "flags"]]',
    '>Image(filename="predictions/contact_sheet.png", width=760)',
    "The model file is one `.onnx` that anything with onnxruntime can run. Its card says what it was trained on, every "
    "figure, its limits and its licence.",
    ">from rich import print as show\n\n"
    "from tumorscope.inference.text import card_text\n\n"
    "show(card_text(model.card, model.file.sha256))",
)
"""Text cells, and code cells, which begin with a >."""


def main() -> None:
    """Build, execute, clean and write the notebook."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    cells = [new_code_cell(cell[1:]) if cell.startswith(">") else new_markdown_cell(cell) for cell in CELLS]
    notebook = new_notebook(cells=cells)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": folder}}
        ).execute()
    clean(notebook)
    write_text(out, nbformat.writes(notebook) + "\n")


def clean(notebook: nbformat.NotebookNode) -> None:
    """Leave out moments, the names of one machine, and what only a terminal shows."""
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    for number, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{number}", {}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]


if __name__ == "__main__":
    main()
