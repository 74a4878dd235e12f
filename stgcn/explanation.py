"""What a decision rests on: how strongly the network responds to each joint at each moment.

Two maps over joints and time, from the features of the last unit. Their magnitude is what the paper shows
(section 4.3, figure 6). Their share in one class's logit is the class activation map of Zhou et al.,
"Learning Deep Features for Discriminative Localization" (arXiv 1512.04150): the classifier is linear and the
pooling before it an average, so a logit is exactly the average of what all joints say at all moments.
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import torch

from stgcn.checkpoint import Checkpoint
from stgcn.data import Clip
from stgcn.graph import Layout, get_layout
from stgcn.model import STGCN, UNITS
from stgcn.preprocess import Preprocess
from stgcn.readers.skeletons import read_clip

STRIDE = prod(stride for _, stride in UNITS)  # frames between two moments of the last unit
SPAN_S = 0.4  # length of the stretch of time that is named as the one that says most


@dataclass(frozen=True, eq=False)
class Responses:
    """What the last unit says of one person, by joint and moment; moment i is centred on frame i * STRIDE.

    magnitude: (T', V), at least 0; length of the feature vector.
    activation: (classes, T', V); `activation.mean(axis=(1, 2)) + bias` are the logits.
    bias: (classes,), what each class has before anything is seen.
    """

    magnitude: np.ndarray
    activation: np.ndarray
    bias: np.ndarray

    @property
    def logits(self) -> np.ndarray:
        """(classes,), as the network gives them."""
        return self.activation.mean(axis=(1, 2)) + self.bias

    @property
    def scores(self) -> np.ndarray:
        """(classes,) 0..1, softmax of the logits."""
        shares = np.exp(self.logits - self.logits.max())
        return shares / shares.sum()


@torch.no_grad()
def respond(model: STGCN, window: np.ndarray) -> Responses:
    """The responses of a network in eval mode to one person, (C, T, V). ValueError: another shape."""
    inputs = torch.from_numpy(window)[None, ..., None]  # (N=1, C, T, V, M=1)
    features = model.features(inputs)[0, 0]  # (C', T', V)
    activation = torch.einsum("kc,ctv->ktv", model.classifier.weight, features)
    return Responses(features.norm(dim=0).numpy(), activation.numpy(), model.classifier.bias.numpy())


def at_frames(moments: np.ndarray, frames: int) -> np.ndarray:
    """(T', V) -> (frames, V): moment i at frame i * STRIDE, straight lines between, the ends held."""
    positions = np.arange(frames) / STRIDE
    return np.stack([np.interp(positions, np.arange(len(moments)), joint) for joint in moments.T], axis=1)


@dataclass(frozen=True, eq=False)
class Explanation:
    """One class's part in the decision about the last window of a clip.

    layout: the skeleton.
    classes: the name of each logit. chosen: index of the class that is explained.
    times: (T,) seconds of the clip, one a frame of the window; below 0 before the clip began.
    keypoints: (T, V, 3) x and y in the picture and confidence; (0, 0, 0) where a joint was not seen.
    window: (C, T, V), what the network sees.
    responses: of the network to it.
    """

    layout: Layout
    classes: tuple[str, ...]
    chosen: int
    times: np.ndarray
    keypoints: np.ndarray
    window: np.ndarray
    responses: Responses

    @property
    def label(self) -> str:
        """Name of the class that is explained."""
        return self.classes[self.chosen]

    @property
    def magnitude(self) -> np.ndarray:
        """(T, V), at least 0: how strongly the last unit responds, whatever that says."""
        return at_frames(self.responses.magnitude, len(self.times))

    @property
    def activation(self) -> np.ndarray:
        """(T, V): what speaks for the class, above 0, or against it."""
        return at_frames(self.responses.activation[self.chosen], len(self.times))

    def ranked_classes(self) -> list[tuple[str, float]]:
        """All classes with their scores 0..1, best first."""
        scores = self.responses.scores
        return [(self.classes[i], float(scores[i])) for i in np.argsort(-scores, kind="stable")]

    def ranked_joints(self) -> list[tuple[str, float]]:
        """All joints with their part in the logit, largest first; the parts and the bias add up to it."""
        parts = self.responses.activation[self.chosen].mean(axis=0) / len(self.layout.joints)
        return [(self.layout.joints[i], float(parts[i])) for i in np.argsort(-parts, kind="stable")]

    def best_span(self) -> tuple[float, float]:
        """Seconds of the clip, from and to: the SPAN_S in which most speaks for the class."""
        step_s = (self.times[-1] - self.times[0]) / max(len(self.times) - 1, 1)
        length = min(1 + round(SPAN_S / step_s), len(self.times)) if step_s else 1
        sums = np.convolve(self.activation.mean(axis=1), np.ones(length), "valid")
        first = int(sums.argmax())
        return float(self.times[first]), float(self.times[first + length - 1])


def read(checkpoint: Checkpoint, path: Path) -> Clip:
    """The main person of a skeleton file in the checkpoint's layout.

    ValueError: the checkpoint has no preprocessing or is for several people; and see `stgcn.skeleton_files.read`.
    """
    return read_clip(path, path.name, label=0, layout=_preprocess(checkpoint).layout)


def explain(checkpoint: Checkpoint, clip: Clip, class_name: str | None = None) -> Explanation:
    """Why the window that ends with the clip is, or is not, of a class; without a name, of the likeliest.

    ValueError: the checkpoint has no preprocessing, is for several people or has no such class, the clip does not
    fit it, or nobody is in view in the window.
    """
    preprocess = _preprocess(checkpoint)
    if class_name is not None and class_name not in checkpoint.classes:
        raise ValueError(f"unknown class {class_name!r}; known: {', '.join(checkpoint.classes)}")
    keypoints = preprocess.resample(clip.times, clip.keypoints, clip.end_s)  # (T, V, 3)
    if not keypoints.any():
        raise ValueError(f"{clip.name}: nobody is in view in its last {preprocess.duration_s:.1f} s, and the "
                         "network looks at nothing else; cut the clip where the action ends")
    window = preprocess(clip.times, clip.keypoints, clip.end_s)  # (C, T, V)
    responses = respond(checkpoint.model, window)
    return Explanation(
        layout=get_layout(preprocess.layout),
        classes=checkpoint.classes,
        chosen=responses.logits.argmax() if class_name is None else checkpoint.classes.index(class_name),
        times=clip.end_s + np.arange(1 - preprocess.frames, 1) / preprocess.fps,
        keypoints=keypoints,
        window=window,
        responses=responses,
    )


def _preprocess(checkpoint: Checkpoint) -> Preprocess:
    if checkpoint.preprocess is None:
        raise ValueError("the checkpoint does not say how its input is prepared (official ones do not); "
                         "use one that python -m stgcn.train wrote")
    if checkpoint.preprocess.people > 1:
        raise ValueError(f"the checkpoint judges {checkpoint.preprocess.people} people together, and only what is "
                         "decided about one can be explained")
    if checkpoint.preprocess.whole_clips:
        raise ValueError("the checkpoint sees every clip slowed down or sped up, and its moments are not those of the "
                         "clip; use one that was trained with preprocess.whole_clips=False")
    return checkpoint.preprocess
