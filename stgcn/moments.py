"""Training samples for a live view: what a window shows at any moment while somebody acts, pauses and goes on.

A clip that is cut to one action has neither a before nor an after, but a window that slides over a camera's
pictures mostly shows such mixtures. So a sample is a moment of a performance that is made up from the clips
(`stgcn.scenes`): perhaps somebody stands still or does something else first, then acts, then perhaps keeps
still again. Its label is what happened a little before that moment: the action while it lasts, and soon after its
end, nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from torch import Tensor

from stgcn import choreography
from stgcn.augment import Augment
from stgcn.data import Clip, SkeletonDataset
from stgcn.gestures import can_gesture, clap, gesticulate, wave
from stgcn.graph import get_layout
from stgcn.preprocess import Preprocess
from stgcn.puppets import LAYOUT, perform
from stgcn.scenes import Performance, enter, hold, repeat

FIRST_MOMENT_S = 0.3  # of somebody's being in view, before which nobody can say anything
LONGEST_ACT_S = 3.0
NAMELESS = 0.2  # share of puppets that do something without a name, beside its turn among the rest
MADE_UP, MADE_UP_S = {"wave": wave, "clap": clap}, (0.8, 3.0)
ENTERING = 0.5  # share of those who may come into the picture that do
GOES_ON = 0.5  # probability that somebody who does what has no name goes on with it, but for the arms that wave or clap


@dataclass(frozen=True)
class Moments:
    """How performances are made up, and what a moment of one is called.

    idle, other: the classes of somebody who keeps still, and of one whose arms do what has no name.
    known: classes beside those of the data, which puppets play: what the network that training starts from can tell,
        and is to tell still.
    silent: classes that are learned to be told apart and never announced, beside idle and other.
    by_legs, by_hands: classes that nobody can tell from keeping still where no knee, or no wrist, is in view; there,
        they are called idle.
    enters: classes of people of whom ENTERING come into the picture meanwhile, nothing being before.
    repeated: classes that go on and look the same backwards; a clip of one is repeated for up to LONGEST_ACT_S.
    balanced: probability that the clip is one of a class that is drawn first, each equally often, instead of its turn.
    alone: probability of the clip as it is, cut to its action.
    still_before, other_before: probabilities of keeping still before the action, or of doing something else.
    still_after: probability of keeping still after it.
    hold_s: shortest and longest time of keeping still.
    gesture: probability of nameless gestures instead of the action.
    made_up: probability of each of the classes "wave" and "clap", made up by `stgcn.gestures`, instead of the action.
    puppets: probability that somebody who is made up from head to foot (`stgcn.puppets`) does one of the classes of
        `stgcn.choreography` instead of the clip's person, all equally often but `other`, see NAMELESS.
    lag_s: the label is that of so many seconds ago; longer, later and surer.

    ValueError: a probability outside 0..1, alone and those before the action being more than 1 together, or those
    instead of it, times of keeping still that are no range above 0, or a negative lag.
    """

    idle: str = "idle"
    other: str = "other"
    known: Sequence[str] = ()
    silent: Sequence[str] = ()
    by_legs: Sequence[str] = ()
    by_hands: Sequence[str] = ()
    enters: Sequence[str] = ()
    repeated: Sequence[str] = ("wave", "clap")
    balanced: float = 0.0
    alone: float = 0.25
    still_before: float = 0.35
    other_before: float = 0.25
    still_after: float = 0.6
    hold_s: tuple[float, float] = (0.3, 1.5)
    gesture: float = 0.1
    made_up: float = 0.0
    puppets: float = 0.0
    lag_s: float = 0.2

    @property
    def nothing(self) -> tuple[str, ...]:
        """Classes that mean that nothing happens that has a name."""
        return (self.idle, self.other, *self.silent)

    def __post_init__(self):
        for name in ("balanced", "alone", "still_before", "other_before", "still_after", "gesture", "made_up",
                     "puppets"):  # fmt: skip
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"moments.{name} is a probability, got {getattr(self, name)}")
        if self.alone + self.still_before + self.other_before > 1:
            raise ValueError("moments.alone, still_before and other_before are more than 1 together")
        if self.gesture + len(MADE_UP) * self.made_up > 1:
            raise ValueError("moments.gesture, and made_up for each class, are more than 1 together")
        if not 0 < self.hold_s[0] <= self.hold_s[1]:
            raise ValueError(f"moments.hold_s is a range (low, high) above 0, got {self.hold_s}")
        if self.lag_s < 0:
            raise ValueError(f"moments.lag_s may not be negative, got {self.lag_s}")
        played = [name for name in choreography.ACTIONS if name != choreography.OTHER and self.puppets]
        if unknown := [name for name in self.known if name not in played]:
            raise ValueError(f"moments.known are classes that puppets play: {', '.join(played) or 'none without them'};"
                             f" got {unknown[0]!r}")


class MomentDataset(SkeletonDataset):
    """As `SkeletonDataset` with augmentation, item i being a moment of a performance around clip i (or see balanced).

    ValueError: see `SkeletonDataset`; there is no class that `moments` names, or none that puppets know, or they have
    another layout.
    """

    def __init__(self, clips: Sequence[Clip], preprocess: Preprocess, classes: Sequence[str], augment: Augment,
                 seed: int, moments: Moments):  # fmt: skip
        if preprocess.people > 1:
            raise ValueError(f"moments are those of one person; preprocess.people is {preprocess.people}")
        super().__init__(clips, preprocess, len(classes), augment, seed)
        for name in (*moments.nothing, *moments.by_legs, *moments.by_hands, *moments.enters, *moments.repeated,
                     *(MADE_UP if moments.made_up else ())):  # fmt: skip
            if name not in classes:
                raise ValueError(f"moments need the class {name!r}; the network has {', '.join(classes)}")
        self.classes, self.moments = tuple(classes), moments
        of_class: dict[int, list[int]] = {}  # label to indices of its clips
        for i, clip in enumerate(clips):
            of_class.setdefault(clip.label, []).append(i)
        self._of_class = list(of_class.values())
        self._played = [name for name in choreography.ACTIONS if name in classes]  # by puppets
        if moments.puppets and (preprocess.layout != LAYOUT or not self._played):
            raise ValueError(f"moments.puppets play {', '.join(choreography.ACTIONS)} in the layout {LAYOUT}; the "
                             f"network has the layout {preprocess.layout} and {', '.join(classes)}")
        joints = get_layout(preprocess.layout).joints
        self._needed = [(by, [i for i, joint in enumerate(joints) if part in joint])
                        for part, by in (("knee", moments.by_legs), ("wrist", moments.by_hands))]  # fmt: skip

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        rng = np.random.default_rng((self.seed, self.epoch, i))
        clips = self._of_class[rng.integers(len(self._of_class))] if rng.random() < self.moments.balanced else [i]
        clip = self.clips[clips[rng.integers(len(clips))]]
        if rng.random() < self.moments.alone:
            times, keypoints = self.augment(rng, self.preprocess.group, clip.times, clip.keypoints)
            end_s, label = times[-1], self.classes[clip.label]
        else:
            times, keypoints, end_s, label = self._moment(rng, clip)
            times, keypoints = self.augment.seen_by_a_camera(rng, self.preprocess.layout, times, keypoints)
        sample = self._sample(times, keypoints, end_s)
        return sample, self._index(label, sample)

    def _index(self, label: str, sample: Tensor) -> int:
        """Of the class that a sample (C, T, V, M) shows, in which `label` is done."""
        hidden = any(label in by and not sample[-1, :, joints].any() for by, joints in self._needed)
        return self.classes.index(self.moments.idle if hidden else label)

    def _moment(self, rng: Generator, clip: Clip) -> tuple[np.ndarray, np.ndarray, float, str]:
        """Everything up to a moment of a performance: times, keypoints, that moment, and its label."""
        moments, label = self.moments, self.classes[clip.label]
        if moments.puppets and rng.random() < moments.puppets:
            action = choreography.OTHER if rng.random() < NAMELESS else str(rng.choice(self._played))
            label = moments.other if action == choreography.OTHER else action
            times, keypoints = perform(rng, choreography.act(rng, action))
        else:
            times, keypoints = self._performed(rng, clip)
        before = rng.random() * (1 - moments.alone)
        if label in moments.enters and rng.random() < ENTERING:
            times, keypoints = enter(rng, times, keypoints, self.preprocess.layout)
            before = 1  # whatever it was, nobody was in view
        performance = Performance(rng, like=keypoints[0], layout=self.preprocess.layout)
        if before < moments.still_before:
            performance.hold(rng.uniform(*moments.hold_s))
        elif before < moments.still_before + moments.other_before:
            other = self.clips[rng.integers(len(self.clips))]
            performance.act(*self._performed(rng, other), self.classes[other.label])
        kind = rng.random()
        if kind < moments.gesture:
            performance.act(*self._gestures(rng, keypoints[0]), moments.other)
        elif kind < moments.gesture + len(MADE_UP) * moments.made_up and can_gesture(keypoints[0]):
            name, duration_s = str(rng.choice(list(MADE_UP))), rng.uniform(*MADE_UP_S)
            if label in moments.nothing and rng.random() < GOES_ON:
                times, body = repeat(times, keypoints, duration_s)
            else:
                times, body = hold(rng, keypoints[0], duration_s)
            performance.act(times, MADE_UP[name](rng, times, body), name)
        else:
            performance.act(times, keypoints, label)
        if rng.random() < moments.still_after:
            performance.hold(rng.uniform(*moments.hold_s))
        now_s = rng.uniform(min(FIRST_MOMENT_S, performance.duration_s), performance.duration_s)
        labels = [span.label for span in performance.spans if span.start_s <= now_s - moments.lag_s < span.end_s]
        times, keypoints = performance.result()
        past = times <= max(now_s, times[0])
        return times[past], keypoints[past], now_s, labels[0] if labels else moments.idle

    def _gestures(self, rng: Generator, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nameless ones of the person in `pose`, with arms of people from other clips."""
        clips = [self.clips[i] for i in rng.integers(len(self.clips), size=rng.integers(2, 6))]
        others = [self._sure(clip.keypoints[rng.integers(len(clip.keypoints))]) for clip in clips]
        return gesticulate(rng, pose, others, layout=self.preprocess.layout)

    def _sure(self, keypoints: np.ndarray) -> np.ndarray:
        """Without the keypoints that preprocessing ignores, which may lie anywhere."""
        return np.where(keypoints[..., 2:] >= self.preprocess.min_confidence, keypoints, 0)

    def _performed(self, rng: Generator, clip: Clip) -> tuple[np.ndarray, np.ndarray]:
        """A variant of the clip; repeated, if it is of that kind; of a long one, an excerpt."""
        times, keypoints = self.augment.performed(rng, clip.times, clip.keypoints)
        keypoints = self._sure(keypoints)
        if self.classes[clip.label] in self.moments.repeated:
            return repeat(times, keypoints, rng.uniform(FIRST_MOMENT_S, LONGEST_ACT_S))
        start_s = rng.uniform(times[0], max(times[-1] - LONGEST_ACT_S, times[0]))
        excerpt = (times >= start_s) & (times <= start_s + LONGEST_ACT_S)
        return times[excerpt], keypoints[excerpt]
