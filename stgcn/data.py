"""Recorded people as training and test samples. Where they come from: `stgcn.readers`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from stgcn.augment import Augment
from stgcn.graph import get_layout
from stgcn.preprocess import Preprocess


@dataclass(frozen=True, eq=False)
class Clip:
    """The main person of one recording, or the main people of it.

    name: of the recording, as the data set has it.
    label: index of its class.
    times: (n,) seconds, ascending; the frames in which somebody was found, possibly none.
    keypoints: (n, V, D) float32: D = 3, x and y in the picture, or D = 4, x, y, z in space, in the set's own
        unit; then confidence 0..1. A missing joint has confidence 0. Of several people, the joints of one after
        those of another, in the same frames (`stgcn.graph.Layout.several`).
    end_s: time of the recording's last frame, whether or not somebody was found in it.
    size: (width, height) of the picture in pixels, None where there is none.

    ValueError that names the clip: NaN or infinity, times that do not ascend, arrays that do not fit.
    """

    name: str
    label: int
    times: np.ndarray
    keypoints: np.ndarray
    end_s: float
    size: tuple[int, int] | None = None

    def __post_init__(self):
        if self.keypoints.ndim != 3 or len(self.keypoints) != len(self.times):
            raise ValueError(f"{self.name}: {len(self.times)} times for keypoints of {self.keypoints.shape}")
        if not (np.isfinite(self.keypoints).all() and np.isfinite(self.times).all()):
            raise ValueError(f"{self.name}: a joint or a time is NaN or infinite")
        if (np.diff(self.times) <= 0).any():
            raise ValueError(f"{self.name}: its times do not ascend")


@dataclass(frozen=True, eq=False)
class Part:
    """One side of a data set: the clips that train, or those that test. Labels are indices into `classes`."""

    classes: tuple[str, ...]
    clips: list[Clip]


class SkeletonDataset(Dataset):
    """Clips as network input: item i is ((C, T, V, M) float32, label).

    With `augment`, item i is another variant of clip i in every `epoch` (set it before each one), the same
    for the same seed. Without, the window ends at the clip's last frame.

    ValueError: no clips, a label outside 0..num_classes-1, or joints of another layout than the preprocessing's.
    """

    def __init__(self, clips: Sequence[Clip], preprocess: Preprocess, num_classes: int,
                 augment: Augment | None = None, seed: int = 0):  # fmt: skip
        if not clips:
            raise ValueError("a data set needs at least one clip")
        for clip in clips:
            if not 0 <= clip.label < num_classes:
                raise ValueError(f"{clip.name}: label {clip.label} is outside 0..{num_classes - 1}")
            expected = (len(clip.times), *get_layout(preprocess.group).shape)
            if clip.keypoints.shape != expected:
                shape = clip.keypoints.shape
                raise ValueError(f"{clip.name}: its keypoints have the shape {shape} instead of {expected}")
        self.clips, self.preprocess, self.augment, self.seed = clips, preprocess, augment, seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        clip = self.clips[i]
        times, keypoints, end_s = clip.times, clip.keypoints, clip.end_s
        if self.augment is not None:
            rng = np.random.default_rng((self.seed, self.epoch, i))
            times, keypoints = self.augment(rng, self.preprocess.group, times, keypoints)
            end_s = times[-1]
        return self._sample(times, keypoints, end_s), clip.label

    def _sample(self, times: np.ndarray, keypoints: np.ndarray, end_s: float) -> Tensor:
        """(C, T, V, M), of a window that ends at `end_s`."""
        window = torch.from_numpy(self.preprocess(times, keypoints, end_s))  # (C, T, M * V)
        return torch.stack(window.tensor_split(self.preprocess.people, dim=-1), dim=-1)
