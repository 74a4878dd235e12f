"""A pose network on a processor: MMPose's own, run by OpenVINO, in less time than torch takes."""

import hashlib
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import openvino
import torch
from openvino.frontend import GeneralFailure, OpConversionFailure
from torch import Tensor, nn

# Where a processor has bfloat16, OpenVINO would use it, and people would not be found where they are elsewhere. Pinned
# to its cores, two programs that look for people at the same time would share one.
AS_EVERYWHERE = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": False}
FOLDER, FILE = "compiled", "network.xml"  # below one of the folders given

# OpenVINO gives the thread in which a core first compiles a stack for its signals, and takes it away with the core, in
# whichever thread that happens. The next signal, such as Ctrl-C, would find none, and the program would crash. So there
# is one core, for as long as the program runs.
CORE = openvino.Core()


class _Network(nn.Module):
    """Of a top-down model, what comes before decoding: pictures of people (N, 3, H, W) -> what its head gives."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, pictures: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self.model.head(self.model.extract_feat(pictures))


def speed_up(model: nn.Module, folders: Sequence[Path]) -> None:
    """Let OpenVINO run `model`, a top-down one of MMPose that is on the processor and only infers from now on.

    It is translated once, in three to ten seconds, and kept in the first of `folders` that can be written. A model that
    OpenVINO cannot run stays as it is, and standard error says so.
    """
    network = _Network(model).eval()
    name = fingerprint(model)
    try:
        translated = _kept(name, folders) or _keep(_translated(network, model.head.decoder.input_size), name, folders)
        compiled = CORE.compile_model(translated, "CPU", AS_EVERYWHERE)
    except (RuntimeError, GeneralFailure, OpConversionFailure) as error:  # of torch's tracing or of OpenVINO
        reason = str(error).strip().splitlines()[-1]
        print(f"pose: torch runs the network, and slower, since OpenVINO cannot ({reason})", file=sys.stderr)
        return
    model.extract_feat = lambda pictures: pictures
    model.head.forward = _runner(compiled)


def _runner(compiled: openvino.CompiledModel) -> Callable[[Tensor], Tensor | tuple[Tensor, ...]]:
    def run(pictures: Tensor) -> Tensor | tuple[Tensor, ...]:
        outputs = tuple(torch.from_numpy(np.array(output)) for output in compiled(pictures.numpy()).values())
        return outputs if len(outputs) > 1 else outputs[0]

    return run


def _translated(network: _Network, size: tuple[int, int]) -> openvino.Model:
    """For any number of pictures of `size` (width, height)."""
    print("pose: preparing the network for this machine, once ...", file=sys.stderr)
    width, height = size
    pictures = torch.zeros(1, 3, height, width)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing: shapes that MMPose checks become constants
        traced = torch.jit.freeze(torch.jit.trace(network, pictures, check_trace=False))
        any_number = openvino.PartialShape([-1, 3, height, width])
        return openvino.convert_model(traced, example_input=pictures, input=any_number)


def fingerprint(model: nn.Module) -> str:
    """Other weights, another network or another OpenVINO: another name."""
    digest = hashlib.sha256(f"{openvino.__version__}\n{model.cfg.model}".encode())
    for name, weight in model.state_dict().items():
        digest.update(name.encode() + weight.numpy().tobytes())
    return digest.hexdigest()[:32]


def _kept(name: str, folders: Sequence[Path]) -> openvino.Model | None:
    """None: it is nowhere, or damaged."""
    for path in (folder / FOLDER / name / FILE for folder in folders):
        try:
            if path.is_file():
                return CORE.read_model(path)
        except RuntimeError:  # damaged: it is translated anew, and takes this one's place
            continue
    return None


def _keep(network: openvino.Model, name: str, folders: Sequence[Path]) -> openvino.Model:
    """Itself, kept in the first folder that can be written: whole, whoever else writes the same."""
    for folder in folders:
        try:
            (folder / FOLDER).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".", dir=folder / FOLDER) as scratch:
                openvino.save_model(network, Path(scratch) / name / FILE, compress_to_fp16=False)
                shutil.rmtree(folder / FOLDER / name, ignore_errors=True)
                os.rename(Path(scratch) / name, folder / FOLDER / name)
                break
        except (OSError, RuntimeError):  # not here; the latter is OpenVINO's
            continue
    return network
