"""From a trained network to the graph of a model file."""

from __future__ import annotations

import io
import logging
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tumorscope.model_file import INPUT, OUTPUTS
from tumorscope.preprocess import Spec
from tumorscope.training.network import Network, Outputs

OPSET = 18


@dataclass(frozen=True)
class Reference:
    """Training embeddings as a distribution: class means ``(classes, d)`` and a whitening matrix ``(d, d)``."""

    means: NDArray[np.float32]
    whitening: NDArray[np.float32]


def fit_reference(embeddings: NDArray[np.float32], classes: NDArray[np.int64], count: int) -> Reference:
    """Fit class means and one shared covariance (Lee et al., 2018, arXiv 1807.03888; shrunk as Ledoit and Wolf).

    Args:
        embeddings: ``(n, d)`` of training slices.
        classes: ``(n,)``, the likeliest class of each slice among those its label covers.
        count: number of classes; one without slices gets the mean of all.
    """
    from sklearn.covariance import ledoit_wolf

    overall = embeddings.mean(axis=0)
    means = np.stack([embeddings[classes == i].mean(axis=0) if (classes == i).any() else overall for i in range(count)])
    covariance, _ = ledoit_wolf(embeddings - means[classes])
    values, vectors = np.linalg.eigh(covariance)
    whitening = vectors / np.sqrt(np.maximum(values, values.max() * 1e-6) * len(overall))
    return Reference(means.astype(np.float32), whitening.astype(np.float32))


class ExportedNetwork(nn.Module):
    """The graph of a model file: uint8 ``(N, side, side, channels)`` -> probabilities, heatmap, embedding, outlier.

    Args:
        network: trained.
        temperature: by which the logits are divided.
        reference: the training embeddings.
        tumor_classes: for each class whether it is a tumor, where the network learnt outlines from masks: each class
            activation map is then weighted by where the outline is (see docs/decisions); None where it learnt none.
    """

    means: Tensor
    whitening: Tensor

    def __init__(
        self,
        network: Network,
        temperature: float,
        reference: Reference,
        tumor_classes: tuple[bool, ...] | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature
        self.tumor_classes = tumor_classes
        self.register_buffer("means", torch.from_numpy(reference.means))
        self.register_buffer("whitening", torch.from_numpy(reference.whitening))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Run the network on a batch of inputs as `preprocess` makes them."""
        outputs = self.network(image.permute(0, 3, 1, 2).float())
        probabilities = torch.softmax(outputs.logits / self.temperature, dim=1)
        return probabilities, self._heatmap(outputs), outputs.embedding, self.distances(outputs.embedding)

    def distances(self, embeddings: Tensor) -> Tensor:
        """Return the distance of ``(N, d)`` embeddings to the nearest class of the training, ``(N,)``."""
        offsets = embeddings[:, None, :] - self.means[None]
        return (offsets @ self.whitening).square().sum(dim=2).amin(dim=1).sqrt()

    def _heatmap(self, outputs: Outputs) -> Tensor:
        if self.tumor_classes is None or outputs.mask is None:
            return outputs.heatmap
        inside = torch.sigmoid(outputs.mask)
        size = (outputs.mask.shape[-2], outputs.mask.shape[-1])
        evidence = functional.interpolate(outputs.heatmap, size=size, mode="bilinear", align_corners=False)
        weights = torch.cat([inside if is_tumor else 1 - inside for is_tumor in self.tumor_classes], dim=1)
        return functional.softplus(evidence) * weights


def export_graph(exported: ExportedNetwork, spec: Spec) -> Any:
    """Return the network as an ``onnx.ModelProto`` with a dynamic batch."""
    example = torch.zeros(2, spec.side, spec.side, spec.depth, dtype=torch.uint8)
    exported.eval()
    exported.network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            exported,
            (example,),
            dynamo=True,
            external_data=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=65536)},),
            verbose=False,
        )
    if program is None:
        raise RuntimeError("the exporter returned nothing")
    proto = program.model_proto
    for node in proto.graph.node:  # the exporter notes source paths of this machine on every node
        del node.metadata_props[:]
        node.doc_string = ""
    return proto
