"""Where in a recording somebody acts: keeping still before and after that is no part of the action."""

from dataclasses import replace

import numpy as np

from stgcn.body import body_height
from stgcn.data import Clip

SURE = 0.3  # confidence of joints whose movement counts; others walk by themselves
FASTEST = 2  # the joint whose movement counts: the fastest may err
STEP_S = 0.2  # over which speed is measured; trembling does not lead far in that time
# In body heights a second: who moves no faster keeps still; where nobody is faster than that, nothing can be told.
STILL, CLEAR = 0.2, 0.6
STILL_SHARE = 0.2  # of the fastest movement, which is stillness too
MARGIN_S = 0.1  # that stay before the first movement and after the last


def acting(times: np.ndarray, keypoints: np.ndarray, layout: str) -> tuple[float, float]:
    """From when to when somebody acts, in seconds, in (n,) times and (n, V, D) keypoints of one person, n >= 1.

    From the first movement to the last: a pose that is held in between belongs to the action. The whole recording,
    where no movement is clear.
    """
    whole = float(times[0]), float(times[-1])
    behind = np.searchsorted(times, times - STEP_S, side="right") - 1  # (n,): the frame STEP_S ago, or -1
    now = np.flatnonzero(behind >= 0)
    if not len(now):
        return whole
    before, after = keypoints[behind[now]], keypoints[now]  # (m, V, D)
    seen = (before[..., -1] >= SURE) & (after[..., -1] >= SURE)
    steps = np.linalg.norm(after[..., :-1] - before[..., :-1], axis=-1) / body_height(keypoints, layout)
    speed = np.sort(np.where(seen, steps, 0), axis=1)[:, -FASTEST] / (times[now] - times[behind[now]])  # (m,)
    if speed.max() < CLEAR:
        return whole
    moving = now[speed >= max(STILL_SHARE * speed.max(), STILL)]
    middle_s = (times[moving] + times[behind[moving]]) / 2
    return max(float(middle_s[0]) - MARGIN_S, whole[0]), min(float(middle_s[-1]) + MARGIN_S, whole[1])


def trimmed(clip: Clip, layout: str) -> Clip:
    """The clip from when somebody begins to act until the end of that."""
    if not len(clip.times):
        return clip
    start_s, end_s = acting(clip.times, clip.keypoints, layout)
    kept = (clip.times >= start_s) & (clip.times <= end_s)
    times = clip.times[kept]
    return replace(clip, times=times, keypoints=clip.keypoints[kept], end_s=float(times[-1]))
