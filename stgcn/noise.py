"""By how much pose estimators err: noise that resembles itself over time, on times (n,) or keypoints (n, V, 3).

Random from the generator passed in.
"""

import math

import numpy as np
from numpy.random import Generator
from scipy.signal import lfilter

from stgcn.body import body_height

# Of somebody who keeps still, standard deviations in body heights before smoothing.
JITTER = 0.0015  # of a joint from frame to frame, when the detector is sure of it
JITTER_UNSURE = (0.02, 0.2)  # added to that as its confidence goes to 0: detectors differ much in this
DRIFT = 0.005  # of a joint, slowly: nobody is a statue
SWAY = 0.007  # of the whole body
JITTER_BURSTS = 0.8  # by which its logarithm varies: detectors are calm for a while, then err for a few frames
JITTER_MEMORY_S, BURST_MEMORY_S, DRIFT_MEMORY_S, SWAY_MEMORY_S = 0.04, 0.3, 1.5, 2.0  # for which each is like itself
CONFIDENCE_JITTER = 0.03
RESTLESSNESS = (0.4, 2.0)  # by which all of these differ from one person and moment to the next
SMOOTHED_HZ = 1.5  # cutoff of a low-pass that does to joints at rest what the smoothing of recordings does


def tremble(rng: Generator, keypoints: np.ndarray, fps: float, layout: str = "coco17") -> np.ndarray:
    """Keypoints (n, V, 3) at `fps` frames a second as a detector sees them, smoothed as recordings are.

    Joints tremble from frame to frame, the more the less sure the detector is of them; limbs and body drift.
    """
    n, joints = keypoints.shape[:2]
    confidence = keypoints[..., 2]  # (n, V)
    unit = body_height(keypoints[0], layout) * np.exp(rng.uniform(*np.log(RESTLESSNESS)))
    unsure = np.exp(rng.uniform(*np.log(JITTER_UNSURE)))
    jitter = JITTER + unsure * (1 - confidence) ** 3
    offset = DRIFT * wander(rng, (n, joints, 2), DRIFT_MEMORY_S, fps)  # (n, V, 2)
    offset += SWAY * wander(rng, (n, 1, 2), SWAY_MEMORY_S, fps)
    offset -= offset[0]  # begins in the pose itself
    bursts = np.exp(JITTER_BURSTS * wander(rng, (n, joints, 1), BURST_MEMORY_S, fps))
    offset += bursts * jitter[..., None] * wander(rng, (n, joints, 2), JITTER_MEMORY_S, fps)
    memory = math.exp(-2 * math.pi * SMOOTHED_HZ / fps)
    offset = lfilter([1 - memory], [1, -memory], offset, axis=0)
    seen = confidence > 0
    trembling = keypoints.copy()
    trembling[..., :2] += np.where(seen[..., None], unit * offset, 0)
    sureness = confidence + CONFIDENCE_JITTER * wander(rng, (n, joints), JITTER_MEMORY_S, fps)
    trembling[..., 2] = np.where(seen, sureness.clip(0.01, 1), 0)
    return trembling


def wander(rng: Generator, shape: tuple[int, ...], memory_s: float, fps: float) -> np.ndarray:
    """Normal noise of standard deviation 1 that resembles itself over time (axis 0) for about `memory_s` >= 0."""
    memory = math.exp(-1 / (memory_s * fps)) if memory_s else 0.0
    new = math.sqrt(1 - memory * memory)
    noise = rng.normal(size=shape)
    noise[:1] /= new  # begins as it goes on
    return lfilter([new], [1, -memory], noise, axis=0).astype(np.float32)


def frame_rate(times: np.ndarray) -> float:
    """Frames a second, on average, of `times` (n,), ascending; 30 for a single one."""
    return float((len(times) - 1) / (times[-1] - times[0])) if len(times) > 1 else 30.0
