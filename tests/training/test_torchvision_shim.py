import subprocess
import sys

import pytest

pytest.importorskip("torch")


def test_the_shim_makes_torchvision_importable():
    code = "import tumorscope.training.torchvision_shim, torchvision; print(torchvision.__name__)"
    assert (
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        == "torchvision\n"
    )


def test_the_shim_does_nothing_where_torchvision_works(monkeypatch):
    from tumorscope.training import torchvision_shim

    monkeypatch.setattr(torchvision_shim, "compiled_part_loads", lambda: True)
    monkeypatch.setattr(torchvision_shim, "_library", None)
    assert torchvision_shim.declare_operators() is False
    assert torchvision_shim._library is None
