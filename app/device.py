"""Which processor the networks run on."""

import torch

from app.errors import UserError


def choose(device: str) -> str:
    """`auto` becomes the GPU when there is one; `cpu`, `cuda` and `cuda:N` are checked. Raises UserError."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, number = device.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdigit()):
        raise UserError(f"unknown device {device!r}; choose auto, cpu, cuda or cuda:N")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise UserError(f"there is no CUDA device {device!r} for torch here; use --device cpu or auto")
    return device
