"""Draw what each augmentation does: `python -m stgcn.augment_pictures [FOLDER]`, for docs/augmentation.md.

A made-up person waves; grey is the recording, orange the variant that the network learns from. Puppets are orange
altogether.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stgcn import augment, choreography, gestures, puppets, scenes
from stgcn.body import standing
from stgcn.graph import COCO17

COMMAND = "python -m stgcn.augment_pictures"
FOLDER = Path("docs/augmentation")
FPS, DURATION_S = 30.0, 1.6
SIZE_INCHES, DOTS_PER_INCH = (3.6, 2.2), 80
RECORDED, VARIED = "0.65", "tab:orange"
MOMENT = 12  # the frame that the pictures of bodies show
MOMENTS = (4, 16, 28, 40)  # and those that show several
STEP = 0.75  # metres between bodies drawn side by side
PUPPETS = {"squat": 4, "jump": 24, "kick": 5, "pick up": 8, "clap": 1, "other": 28}  # and the seeds
WRIST, ELBOW = COCO17.index("right_wrist"), COCO17.index("right_elbow")


def waving() -> tuple[np.ndarray, np.ndarray]:
    """times (n,) seconds and keypoints (n, 17, 4), metres in space: the right hand waves beside the head."""
    times = np.arange(round(DURATION_S * FPS)) / FPS
    keypoints = np.ones((len(times), len(COCO17.joints), 4), np.float32)
    keypoints[..., :3] = standing()
    swing = 0.7 * np.sin(2 * np.pi * 1.4 * times)
    keypoints[:, ELBOW, :3] = (-0.42, 0.42, -0.12)
    keypoints[:, WRIST, 0] = -0.42 + 0.26 * np.sin(swing)
    keypoints[:, WRIST, 1] = 0.42 - 0.26 * np.cos(swing)
    keypoints[:, WRIST, 2] = -0.2
    return times, keypoints


def draw_all(folder: str | Path) -> list[Path]:
    """Write a PNG for each augmentation, gesture and way to come in, named like its function, and of puppets; paths."""
    times, solid = waving()
    flat = solid[..., [0, 1, 3]]
    rng = np.random.default_rng(3)
    part, thinned = augment.crop(rng, times, flat, 0.5), augment.thin(rng, times, flat, 10)
    leaning = augment.transform(flat, np.deg2rad(10), (1.09, 0.92), 0.1)
    uncertain = augment.add_noise(rng, times, flat * (1, 1, 0.7), position=0.02, confidence=0.2)
    recorded = np.repeat(flat[:1], len(flat), axis=0)
    waved, clapped = (gesture(np.random.default_rng(1), times, recorded)
                      for gesture in (gestures.wave, gestures.clap))  # fmt: skip
    _, entered = scenes.enter(np.random.default_rng(9), times, flat)
    pictures: dict[str, Callable[[Axes], None]] = {
        "crop": lambda axes: _over_time(axes, times, flat, *part),
        "change_speed": lambda axes: _over_time(axes, times, flat, augment.change_speed(times, 1.25), flat),
        "thin": lambda axes: _over_time(axes, times, flat, *thinned),
        "mirror": lambda axes: _beside(axes, flat, augment.mirror(flat, COCO17)),
        "transform": lambda axes: _beside(axes, flat, leaning),
        "turn": lambda axes: _beside(axes, flat, augment.turn(solid, np.deg2rad(40))[..., [0, 1, 3]]),
        "tilt": lambda axes: _beside(axes, flat, augment.tilt(solid, np.deg2rad(30))[..., [0, 1, 3]]),
        "add_noise": lambda axes: _beside(axes, flat, uncertain),
        "drop_joints": lambda axes: _moments(axes, flat, augment.drop_joints(rng, flat, 0.4)),
        "hide_legs": lambda axes: _beside(axes, flat, augment.hide_legs(flat, COCO17, hips=True)),
        "cut": lambda axes: _beside(axes, flat, augment.cut(flat, COCO17, (0.3, 0.35, 0.5, 0.25))),
        "pan": lambda axes: _over_time(axes, times, flat, times, augment.pan(times, flat, (0.15, 0))),
        "wave": lambda axes: _moments(axes, recorded, waved),
        "clap": lambda axes: _moments(axes, recorded, clapped),
        "enter": lambda axes: _moments(axes, flat[-len(entered) :], entered),
        **{f"puppet_{label.replace(' ', '_')}": partial(_puppet, label=label) for label in PUPPETS},
    }
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return [_save(folder / f"{name}.png", draw) for name, draw in pictures.items()]


def _save(path: Path, draw: Callable[[Axes], None]) -> Path:
    figure = Figure(SIZE_INCHES, DOTS_PER_INCH, layout="tight")
    draw(figure.add_subplot())
    figure.savefig(path, metadata={"Software": None})  # nothing in it that changes by itself
    return path


def _over_time(axes: Axes, times: np.ndarray, keypoints: np.ndarray, new_times: np.ndarray, new: np.ndarray):
    """The waving hand's way to and fro; a dot a frame."""
    axes.plot(times, keypoints[:, WRIST, 0], ".-", color=RECORDED)
    axes.plot(new_times, new[:, WRIST, 0] + STEP, ".-", color=VARIED)
    axes.set(yticks=[], xlabel="seconds", ylabel="right hand", xlim=(-0.1, DURATION_S + 0.1))


def _beside(axes: Axes, keypoints: np.ndarray, new: np.ndarray) -> None:
    """The recorded person on the left, the variant on the right with the recording behind it."""
    for place in (0, 2 * STEP):
        _body(axes, keypoints[MOMENT], place, RECORDED)
    _body(axes, new[MOMENT], 2 * STEP, VARIED)
    _as_picture(axes)


def _moments(axes: Axes, keypoints: np.ndarray, new: np.ndarray) -> None:
    """The variant in front of the recording, moment after moment."""
    for place, frame in enumerate(MOMENTS):
        _body(axes, keypoints[frame], 1.2 * STEP * place, RECORDED)
        _body(axes, new[frame], 1.2 * STEP * place, VARIED)
    _as_picture(axes)


def _puppet(axes: Axes, label: str) -> None:
    """Somebody made up from head to foot, moment after moment."""
    rng = np.random.default_rng(PUPPETS[label])
    _, keypoints = puppets.perform(rng, choreography.act(rng, label))
    for place, frame in enumerate(np.linspace(0, len(keypoints) - 1, len(MOMENTS) + 1).astype(int)):
        _body(axes, keypoints[frame], STEP * place, VARIED)
    _as_picture(axes)


def _body(axes: Axes, joints: np.ndarray, x: float, colour: str) -> None:
    """One frame, (V, 3); a joint is as large as it is sure."""
    seen = joints[:, 2] > 0
    for a, b in ((COCO17.index(a), COCO17.index(b)) for a, b in COCO17.edges):
        if seen[a] and seen[b]:
            axes.plot(joints[[a, b], 0] + x, joints[[a, b], 1], color=colour, linewidth=1)
    axes.scatter(joints[seen, 0] + x, joints[seen, 1], s=14 * joints[seen, 2] ** 2, color=colour, zorder=2)


def _as_picture(axes: Axes) -> None:
    axes.set_aspect("equal")
    axes.invert_yaxis()
    axes.set_axis_off()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Draw augmentations.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help=f"(default: {FOLDER})")
    for path in draw_all(parser.parse_args(arguments).folder):
        print(path)


if __name__ == "__main__":
    main()
