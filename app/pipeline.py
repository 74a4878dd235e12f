"""The pure core: skeletons in, actions out. No threads, no clock: time comes with every frame.

`Recogniser` is the façade that a program of one's own uses:

    recogniser = Recogniser(stgcn.load("checkpoints/stgcn-webcam.pth"))
    for index, (time_s, poses) in enumerate(...):
        recognition = recogniser.recognise(index, time_s, poses)
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from app.decisions import ActionDecider, ActionState, DecisionSettings
from app.errors import UserError
from app.events import ActionEvent
from app.follower import Follower
from app.pose.base import LAYOUT, Pose
from app.skeletons import SkeletonFrame, SlidingWindows, Windows
from app.timing import Stopwatch
from stgcn import Checkpoint

# Neighbouring windows differ little, so not every frame is worth asking about: every other one at 30 fps. All are at
# 15 fps and less (so a little under a fifteenth of a second), or actions would be noticed later there.
JUDGE_EVERY_S = 0.06
FORGOTTEN = 1 / 3  # of a window, when the network is asked again: what came before an action tells little of it


@dataclass(frozen=True)
class Recognition:
    """What is known after one frame: who is in view, what each does (by track id), and what just began or ended."""

    skeletons: SkeletonFrame
    states: dict[int, ActionState] = field(default_factory=dict)
    events: tuple[ActionEvent, ...] = ()


class ActionClassifier:
    """The network of a checkpoint, on one device, asked twice about every window.

    Once about all of it, and once about its end alone, as if the person had only then come into view (but the motion
    since the moment before is kept, which does better); logits are the mean of both answers.
    """

    def __init__(self, checkpoint: Checkpoint, device: str = "cpu"):
        self._model = checkpoint.model.to(device)
        self._device = device
        self._temperature = checkpoint.decisions.get("temperature", 1.0)

    def scores(self, windows: Windows) -> np.ndarray:
        """(N, classes) softmax scores at the checkpoint's temperature, a row for each of `windows.tracks`."""
        if not windows.tracks:
            return np.zeros((0, 0), np.float32)
        inputs = torch.from_numpy(windows.inputs).to(self._device)[..., None]  # (N, C, T, V, M=1)
        ends = inputs.clone()
        ends[:, :, : round(FORGOTTEN * ends.shape[2])] = 0
        with torch.inference_mode():
            logits = self._model(torch.cat([inputs, ends])).unflatten(0, (2, -1)).mean(dim=0)  # (N, classes)
            return (logits / self._temperature).softmax(dim=1).cpu().numpy()


class Recogniser:
    """Follows people through a video and says what each does. One instance per video.

    picture_height: of the video in pixels, None where it is not known; then nobody is too small to be judged.
    smoothing: whether keypoints are smoothed (`app/smoothing.py`), for the picture, the files and the network alike.
    Raises UserError when the checkpoint does not fit: another joint layout than the poses have, or unusable settings.
    """

    def __init__(self, checkpoint: Checkpoint, device: str = "cpu", stopwatch: Stopwatch | None = None,
                 picture_height: int | None = None, smoothing: bool = True):
        require_fit(checkpoint)
        self.stopwatch = stopwatch or Stopwatch()
        self.follower = Follower(smoothing)
        self.windows = SlidingWindows(checkpoint.preprocess, picture_height)
        self.classifier = ActionClassifier(checkpoint, device)
        try:
            self.decider = ActionDecider(checkpoint.classes, DecisionSettings(**checkpoint.decisions))
        except (TypeError, ValueError) as error:
            raise UserError(f"the action checkpoint holds decision settings that cannot be used: {error}") from None
        self._states: dict[int, ActionState] = {}
        self._judge_at_s: dict[int, float] = {}  # by track, of those in view at the latest judgement
        self._frame = 0

    def recognise(self, index: int, time_s: float, poses: list[Pose]) -> Recognition:
        """Take in the poses of frame `index`, captured at `time_s`. Frames come in the order of time."""
        return self.recognise_skeletons(self.track(index, time_s, poses))

    def track(self, index: int, time_s: float, poses: list[Pose]) -> SkeletonFrame:
        """Poses to skeletons with identities, smoothed."""
        with self.stopwatch("track"):
            return self.follower.update(index, time_s, poses)

    def recognise_skeletons(self, skeletons: SkeletonFrame) -> Recognition:
        """Take in skeletons that already have identities."""
        events: list[ActionEvent] = []
        windows = self.collect(skeletons)
        if windows:
            self._states, events = self.judge(windows)
        return Recognition(skeletons, self._states, tuple(events))

    def collect(self, skeletons: SkeletonFrame) -> Windows | None:
        """Put skeletons into their windows; the windows that end now, when it is time to judge again, or nobody is
        in view, which costs nothing to judge."""
        with self.stopwatch("window"):
            self.windows.add(skeletons)
            self._frame = skeletons.index
            present = [track.id for track in skeletons.tracks]
            if not present:
                return self.windows.cut(skeletons)
            # Who was missed at the latest judgement is due at once: a detector may miss just the frames to judge.
            if all(skeletons.time_s < self._judge_at_s.get(track, -np.inf) for track in present):
                return None
            self._judge_at_s = dict.fromkeys(present, skeletons.time_s + JUDGE_EVERY_S)
            return self.windows.cut(skeletons)

    def judge(self, windows: Windows) -> tuple[dict[int, ActionState], list[ActionEvent]]:
        """Ask the network about `windows` and decide: states by track id, and events."""
        with self.stopwatch("action"):
            return self.decider.update(windows, self.classifier.scores(windows))

    def finish(self) -> list[ActionEvent]:
        """The events that the end of the video brings: whatever lasts ends."""
        return self.decider.finish(self._frame)


def require_fit(checkpoint: Checkpoint) -> None:
    """Raise UserError unless the checkpoint can judge everybody alone, at any time, by the skeletons of poses."""
    if checkpoint.preprocess is None:
        raise UserError("the action checkpoint does not say how its input is prepared; name one that was trained with "
                        "python -m stgcn.train")
    if checkpoint.preprocess.layout != LAYOUT:
        raise UserError(f"the action checkpoint expects {checkpoint.preprocess.layout} skeletons and the pose "
                        f"estimators give {LAYOUT}; choose a checkpoint trained on {LAYOUT}")
    if checkpoint.preprocess.people > 1:
        raise UserError(f"the action checkpoint judges {checkpoint.preprocess.people} people together and here each is "
                        "judged alone; choose a checkpoint trained with preprocess.people=1")
    if checkpoint.preprocess.whole_clips:
        raise UserError("the action checkpoint judges recordings that were cut to one action and here people go on "
                        "moving; choose a checkpoint trained with preprocess.whole_clips=False")
