"""People by MoveNet MultiPose Lightning on OpenVINO: the estimator that runs wherever pip can install it."""

from pathlib import Path

import cv2
import numpy as np

from app.capture import Frame
from app.errors import UserError
from app.pose.base import JOINT_COUNT, Pose
from app.pose.compiled import AS_EVERYWHERE, CORE

LONG_SIDE = 256  # px of a picture's longer side as the network sees it. More shows smaller people and costs more
MARGIN = 32  # px of black around it: without, hands and elbows near the picture's edges are found less surely
STRIDE = 32  # px: the sides of what the network sees are multiples of it, and no longer than they have to be
USUAL = 256, 192  # px: pictures of 4:3, which most cameras give at first; for these everything is ready at once
MIN_PERSON_SCORE = 0.2  # the model always gives six people; those that are there score above it


class MoveNetEstimator:
    """Up to six people a frame, COCO-17, boxes included. Keeps nothing from frame to frame."""

    name = "MoveNet MultiPose"

    def __init__(self, weights: Path):
        """Raises UserError when `weights` is not the MoveNet MultiPose .tflite file."""
        try:
            self._model = CORE.read_model(weights)
            self._compile(*_sides(*USUAL))
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise UserError(f"cannot read {weights} as a MoveNet model ({reason}); fetch it again") from None

    def reset(self) -> None:
        """Nothing is kept from frame to frame."""

    def estimate(self, frame: Frame) -> list[Pose]:
        """The people in `frame`, in pixels of the frame."""
        height, width = frame.image.shape[:2]
        scale = LONG_SIDE / max(height, width)
        inside = max(1, round(width * scale)), max(1, round(height * scale))
        sides = _sides(*inside)
        seen = np.zeros((1, sides[1], sides[0], 3), np.uint8)  # the picture, black around it
        resized = cv2.resize(frame.image, inside, interpolation=cv2.INTER_AREA)
        seen[0, MARGIN:, MARGIN:][: inside[1], : inside[0]] = cv2.cvtColor(resized, cv2.COLOR_BGR2RGB)
        if tuple(self._network.input().shape) != seen.shape:  # once for a source: its pictures have one size
            self._compile(*sides)
        people = next(iter(self._network(seen).values()))[0]  # (6, 56)
        return [_pose(person, np.array(sides), scale) for person in people if person[55] >= MIN_PERSON_SCORE]

    def _compile(self, width: int, height: int) -> None:
        """The network for what is of this size in px; for any size at once it would be a sixth slower."""
        self._model.reshape([1, height, width, 3])
        self._network = CORE.compile_model(self._model, "CPU", AS_EVERYWHERE)


def _sides(*inside: int) -> list[int]:
    """Width and height px of what the network sees: a picture of width and height `inside`, and the margin."""
    return [-(-(side + 2 * MARGIN) // STRIDE) * STRIDE for side in inside]


def _pose(person: np.ndarray, sides: np.ndarray, scale: float) -> Pose:
    """One row of the output: 17 x (y, x, score), then ymin, xmin, ymax, xmax, score.

    Places are shares of `sides` (width, height px), what the network saw; `scale`: of that to the frame.
    """
    joints, corners = person[: 3 * JOINT_COUNT].reshape(JOINT_COUNT, 3), person[51:55].reshape(2, 2)
    places = np.vstack([joints[:, :2], corners])[:, ::-1]  # (V + 2, 2) x, y
    places = ((places * sides - MARGIN) / scale).astype(np.float32)  # px of the frame
    keypoints = np.column_stack([places[:JOINT_COUNT], joints[:, 2]])  # (V, 3)
    return Pose(keypoints, places[JOINT_COUNT:].ravel(), float(person[55]))
