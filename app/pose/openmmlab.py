"""Make MMPose 1.3 and MMDetection 3.3 importable on today's torch, without compiled mmcv operators.

Importing this module is enough; it must come before the first `import mmpose` or `import mmdet`.
Only the operator that our models call, non-maximum suppression, is real. Any other mmcv operator raises
when called, with the name of the package that has it.
"""

import importlib
import importlib.machinery
import sys
import types
import warnings
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import library, nn

from app.errors import UserError


def load_weights(model: nn.Module, path: Path) -> None:
    """Fill `model` with an OpenMMLab checkpoint, without running code from the file.

    Raises UserError when the file cannot be read, or its weights are not those of this model.
    """
    try:
        with torch.serialization.safe_globals(MMENGINE_GLOBALS):
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"weights {path} do not exist; check the path") from None
    except Exception:  # torch.load raises whatever the bytes lead it to
        raise UserError(f"cannot read {path} as weights: it is damaged, of another kind, or holds more than "
                        "weights; fetch the file again") from None
    weights = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, dict) else {}
    wrong = [name for name, own in model.state_dict().items() if getattr(weights.get(name), "shape", None) != own.shape]
    if wrong:
        raise UserError(f"{path} is not a checkpoint of this config: {len(wrong)} weights missing or of another shape, "
                        f"first {wrong[0]}; name the config and the weights that belong together")
    model.load_state_dict(weights, strict=False)  # what is beyond the model (training state) is of no use here


def _nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float, offset: int = 0) -> torch.Tensor:
    """Indices of the boxes (n, 4: x1, y1, x2, y2) that survive non-maximum suppression, best first."""
    corners = boxes.detach().cpu().numpy()
    sizes = corners[:, 2:] - corners[:, :2] + offset
    rectangles = np.concatenate([corners[:, :2], sizes], axis=1)  # (n, 4: x, y, width, height)
    kept = cv2.dnn.NMSBoxes(rectangles.tolist(), scores.detach().cpu().tolist(), 0.0, iou_threshold)
    return torch.as_tensor(np.array(kept, dtype=np.int64).reshape(-1), device=boxes.device)


class _Operators(types.ModuleType):
    """`mmcv._ext` as far as our models need it."""

    nms = staticmethod(_nms)

    def __init__(self):
        super().__init__("mmcv._ext")
        # mmengine looks for a loader to learn whether the compiled mmcv is installed; none says it is not.
        self.__spec__ = importlib.machinery.ModuleSpec("mmcv._ext", loader=None)

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*_, **__):
            raise RuntimeError(f"the operator {name} needs the compiled mmcv; install mmcv instead of mmcv-lite")

        return missing


def _import_torchvision() -> None:
    """Import torchvision, also where its compiled operators were built for another torch (CUDA against CPU)."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        # torchvision registers fake kernels for operators that its library failed to declare.
        library.define("torchvision::nms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("torchvision::qnms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        importlib.import_module("torchvision")


# They use what torch and setuptools will drop one day, and say so at every import and every first call.
warnings.filterwarnings("ignore", module=r"mmdet\.|mmpose\.|torch\.functional")
warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    _import_torchvision()
    sys.modules.setdefault("mmcv._ext", _Operators())
    import mmdet.apis  # noqa: F401
    import mmpose.apis  # noqa: F401

    from stgcn.trusted import MMENGINE_GLOBALS
