"""The whole way from keypoints to a label, with the numbers of one clip, as Markdown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle
from textwrap import fill

import numpy as np
import torch
from torch import Tensor

from stgcn.checkpoint import Checkpoint
from stgcn.data import Clip
from stgcn.explanation import STRIDE, Explanation
from stgcn.model import STGCN, UNITS

CONTEXT = 2  # frames shown before and after the one that is followed
NAMED = 5  # classes, and channels of the last unit
AXES = "xy"
PAGE_WIDTH = 110  # characters


@dataclass(frozen=True, eq=False)
class _Followed:
    """One joint in one frame of a window, and everything that the network makes of that window."""

    checkpoint: Checkpoint
    clip: Clip
    explanation: Explanation
    steps: list[Tensor]  # see `trace`
    frame: int
    joint: int

    @property
    def name(self) -> str:
        return self.explanation.layout.joints[self.joint]


def walk(checkpoint: Checkpoint, clip: Clip, explanation: Explanation) -> str:
    """Every step from the keypoints of `clip` to its label. One joint is followed at one moment.

    That is, among those seen, where most speaks for the class. `explanation` is of the same clip.
    """
    seen = explanation.keypoints[..., 2] > 0  # (T, V)
    frame, joint = np.unravel_index(np.where(seen, explanation.activation, -np.inf).argmax(), seen.shape)
    steps = trace(checkpoint.model, explanation.window)
    followed = _Followed(checkpoint, clip, explanation, steps, int(frame), int(joint))
    sections = {
        "Keypoints": _keypoints,
        "Resampled": _resampled,
        "Body units": _body_units,
        "Data batch norm": _data_norm,
        "Ten units": _units,
        "Pooling and logit": _logit,
        "Softmax and label": _label,
    }
    return "\n\n".join(
        f"### {number}. {title}\n\n{section(followed)}"
        for number, (title, section) in enumerate(sections.items(), start=1)
    )


@torch.no_grad()
def trace(model: STGCN, window: np.ndarray) -> list[Tensor]:
    """What each stage makes of one person, (C, T, V).

    Data norm (1, V*C, T), the ten units (1, C', T', V), pooling (1, C'), logits (1, classes).
    """
    outputs: list[Tensor] = []
    hooks = [
        stage.register_forward_hook(lambda _stage, _inputs, output: outputs.append(output))
        for stage in (model.data_norm, *model.units)
    ]
    last = model.classifier.register_forward_hook(lambda _stage, inputs, out: outputs.extend((*inputs, out)))
    try:
        model(torch.from_numpy(window)[None, ..., None])
    finally:
        for hook in (*hooks, last):
            hook.remove()
    return outputs


def body_frame(pixels: np.ndarray, normalised: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (2,) and height in pixels, such that (n, 2) pixels are centre + height * normalised."""
    (x, y), one, zero = normalised.T, np.ones(len(normalised)), np.zeros(len(normalised))
    factors = np.concatenate([np.stack((x, one, zero), axis=1), np.stack((y, zero, one), axis=1)])  # (2n, 3)
    (height, *centre), *_ = np.linalg.lstsq(factors, pixels.T.reshape(-1), rcond=None)
    return np.array(centre), float(height)


def _keypoints(at: _Followed) -> str:
    times, keypoints = at.clip.times, at.clip.keypoints
    nearest = int(np.abs(times - at.explanation.times[at.frame]).argmin())
    shown = range(max(nearest - CONTEXT, 0), min(nearest + CONTEXT + 1, len(times)))
    rows = [(f"{times[i]:.3f}", *_numbers(keypoints[i, at.joint], 2)) for i in shown]
    width, height = at.clip.size
    return _text(
        f"The main person was found in {len(times)} frames of {width} x {height} pixels, from {times[0]:.3f}",
        f"to {times[-1]:.3f} s, with {keypoints.shape[1]} joints in each. One of them, `{at.name}`:",
    ) + _table(("seconds", "x px", "y px", "confidence"), rows)


def _resampled(at: _Followed) -> str:
    preprocess, times, keypoints = at.checkpoint.preprocess, at.explanation.times, at.explanation.keypoints
    shown = range(max(at.frame - CONTEXT, 0), min(at.frame + CONTEXT + 1, len(times)))
    rows = [(i, f"{times[i]:.3f}", *_numbers(keypoints[i, at.joint], 2)) for i in shown]
    missing = 100 * (keypoints[..., 2] == 0).mean()
    return _text(
        f"The network has a clock of its own: {preprocess.frames} frames, {preprocess.fps:g} a second,",
        "the last of them the clip's last. Between observations lie cubic curves, across gaps of at most",
        f"{preprocess.max_gap_s:g} s. A keypoint with a confidence below {preprocess.min_confidence:g}",
        f"counts as not seen. What was not seen is (0, 0, 0): {missing:.1f} % of all joints,",
        f"among them all joints of {(~keypoints.any(axis=(1, 2))).sum()} frames.",
    ) + _table(("frame", "seconds", "x px", "y px", "confidence"), rows)


def _body_units(at: _Followed) -> str:
    keypoints, preprocess = at.explanation.keypoints, at.checkpoint.preprocess
    normalised, seen = preprocess.normalise(keypoints), keypoints[..., 2] > 0
    centre, height = body_frame(keypoints[seen, :2], normalised[:2, seen].T)
    pixels, units = keypoints[at.frame, at.joint], normalised[:, at.frame, at.joint]
    formulas = [
        f"{axis} = ({pixels[i]:.2f} - {centre[i]:.2f}) / {height:.2f} = {units[i]:.4f}"
        for i, axis in enumerate(AXES)
    ]
    return (
        _text(
            f"The centre, the shoulders' usual place, is ({centre[0]:.2f}, {centre[1]:.2f}) px; judged by",
            f"the limbs, the person is {height:.2f} px tall. Both hold for the whole window. Positions",
            f"become heights from the centre, for `{at.name}` in frame {at.frame}:",
        )
        + _block(formulas)
        + f"\n\nThe confidence, {units[2]:.4f}, stays. The network sees the {preprocess.stream} "
        + f"stream of this,\nan array of {_shape(at.explanation.window)}: channels (x, y, confidence), frames, joints."
    )


def _data_norm(at: _Followed) -> str:
    norm, window, formulas = at.checkpoint.model.data_norm, at.explanation.window, []
    for channel, name in zip(range(len(window)), cycle((*AXES, "confidence"))):
        row = at.joint * len(window) + channel  # joint-major, see STGCN.features
        statistics = norm.running_mean, norm.running_var, norm.weight, norm.bias
        mean, variance, gain, bias = (values[row].item() for values in statistics)
        before, after = window[channel, at.frame, at.joint], at.steps[0][0, row, at.frame]
        spread = (variance + norm.eps) ** 0.5
        formulas.append(
            f"{name:10} ({before:.4f} - {mean:.4f}) / {spread:.4f} * {gain:.4f} + {bias:.4f} = {after:.4f}"
        )
    return _text(
        "Each channel of each joint is compared with its mean and spread in training, then scaled and",
        "shifted as training found best:",
    ) + _block(formulas)


def _units(at: _Followed) -> str:
    rows = [("data batch norm", "", _shape(at.explanation.window), "")]
    for number, ((_, stride), features) in enumerate(zip(UNITS, at.steps[1:-2]), start=1):
        silent = 100 * (features == 0).float().mean()
        rows.append((f"unit {number}", stride, _shape(features[0]), f"{silent:.1f} %"))
    return _text(
        "Each mixes neighbouring joints, then neighbouring moments of the same joint; a stride of 2 halves",
        f"the time. After the last, moments are {STRIDE} frames apart.",
    ) + _table(("after", "stride", "channels x moments x joints", "zeros"), rows)


def _logit(at: _Followed) -> str:
    label, chosen = at.explanation.label, at.explanation.chosen
    pooled, classifier = at.steps[-2][0], at.checkpoint.model.classifier
    weights, bias = classifier.weight[chosen].detach(), classifier.bias[chosen].item()
    logit = at.steps[-1][0, chosen]
    activation = at.explanation.responses.activation[chosen]  # (T', V)
    parts = [(name, f"{part:+.4f}") for name, part in at.explanation.ranked_joints()]
    return (
        _text(
            f"Each of the {len(pooled)} channels is averaged over {activation.shape[0]} moments and",
            f"{activation.shape[1]} joints, and the classifier weighs the averages. For *{label}*:",
        )
        + _block(
            (
                f"averages {_start(pooled)}",
                f"weights  {_start(weights)}",
                f"logit = sum of the products + bias = {pooled @ weights:.4f} {bias:+.4f} = {logit:.4f}",
            )
        )
        + "\n\n"
        + _text(
            "Weighing before averaging gives the same, and a value for each joint and moment: the map of",
            f"what speaks for *{label}*. Its mean is {activation.mean():.4f}, to which joints contribute:",
        )
        + _table(("joint", "part of the logit"), parts)
    )


def _label(at: _Followed) -> str:
    ranked, logits = at.explanation.ranked_classes(), at.explanation.responses.logits
    by_name = dict(zip(at.explanation.classes, logits))
    rows = [
        (name, *_numbers((by_name[name], np.exp(by_name[name]), score), 4)) for name, score in ranked[:NAMED]
    ]
    best, score = ranked[0]
    return (
        _text(f"exp(logit), divided by its sum over all {len(logits)} classes, {np.exp(logits).sum():.4f}:")
        + _table(("class", "logit", "exp(logit)", "score"), rows)
        + f"\n\nThe label is **{best}**, with a score of {score:.3f}."
    )


def _text(*parts: str) -> str:
    """A paragraph, and the empty line after it."""
    return fill(" ".join(parts), PAGE_WIDTH, break_on_hyphens=False) + "\n\n"


def _table(header: Sequence[str], rows: Iterable[Sequence]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def _block(lines: Iterable[str]) -> str:
    return "\n".join(("```", *lines, "```"))


def _numbers(values: Iterable[float], digits: int) -> list[str]:
    return [f"{value:.{digits}f}" for value in values]


def _shape(array: np.ndarray | Tensor) -> str:
    return " x ".join(str(side) for side in array.shape)


def _start(values: Tensor) -> str:
    return " ".join(f"{value:7.4f}" for value in values[:NAMED].tolist()) + " ..."
