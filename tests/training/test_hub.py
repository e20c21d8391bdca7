"""`weights: hub` against a hub of one small file on this machine: timm and its hub's library are the real ones."""

import hashlib
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from safetensors.torch import save

NAME = "test_efficientnet"
FETCH = """
import sys, torch
from tumorscope.errors import RecipeError
from tumorscope.training.weights import create_backbone
try:
    torch.save(create_backbone(sys.argv[1], "hub", 96).net.state_dict(), sys.argv[2])
except RecipeError as error:
    sys.exit(str(error))
"""


@pytest.fixture(scope="module")
def state():
    from tumorscope.training import torchvision_shim  # noqa: F401, I001  before timm, which imports torchvision
    import timm

    torch.manual_seed(3)
    return timm.create_model(NAME).state_dict()


@pytest.fixture
def hub(state):
    """Serve one repository of the hub; yields its address and the paths that were asked for."""
    asked, content = [], save(state)

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self):
            asked.append(self.path)
            found = self.path == f"/timm/{NAME}.r160_in1k/resolve/main/model.safetensors"
            self.send_response(200 if found else 404)
            if found:
                self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
                self.send_header("X-Repo-Commit", "0" * 40)
            self.send_header("Content-Length", str(len(content) if found else 0))
            self.end_headers()
            return found

        def do_GET(self):
            if self.do_HEAD():
                self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    server.server_close()


def fetch(name, endpoint, folder):
    """Create the backbone in a new process: the hub's library reads its address when it is imported."""
    import tumorscope

    clean = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    source = os.path.dirname(os.path.dirname(tumorscope.__file__))
    environment = clean | {"HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "home"), "PYTHONPATH": source}
    command = [sys.executable, "-c", FETCH, name, str(folder / "state.pth")]
    return subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=300)


def test_the_weights_of_the_hub_arrive_in_the_network(hub, state, tmp_path):
    endpoint, asked = hub
    done = fetch(NAME, endpoint, tmp_path)
    assert done.returncode == 0, done.stderr
    arrived = torch.load(tmp_path / "state.pth", weights_only=True)
    assert len(arrived) > 50
    for key, value in arrived.items():
        assert torch.equal(value, state[key]), key
    assert {path.split("/")[1] for path in asked} == {"timm"}, "nothing but the weights is asked for"


def test_a_hub_without_these_weights_is_an_error_of_one_line(hub, tmp_path):
    done = fetch("test_resnet", hub[0], tmp_path)
    assert done.returncode == 1
    message = done.stderr.strip()
    assert "the weights of test_resnet cannot be fetched from the hub (" in message
    assert "weights: bundled" in message
    assert "\n" not in message
    assert not (tmp_path / "state.pth").exists(), "never a silent random start"
