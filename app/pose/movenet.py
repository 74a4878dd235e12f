"""People by MoveNet MultiPose Lightning on OpenVINO: the estimator that runs wherever pip can install it."""

from pathlib import Path

import cv2
import numpy as np
import openvino

from app.capture import Frame
from app.errors import UserError
from app.pose.base import JOINT_COUNT, Pose
from app.pose.compiled import AS_EVERYWHERE

INPUT_SIZE = 256  # px, both sides; a multiple of 32. Larger sees smaller people and costs more
MIN_PERSON_SCORE = 0.2  # the model always gives six people; those that are there score above it


class MoveNetEstimator:
    """Up to six people a frame, COCO-17, boxes included. Keeps nothing from frame to frame."""

    name = "MoveNet MultiPose"

    def __init__(self, weights: Path):
        """Raises UserError when `weights` is not the MoveNet MultiPose .tflite file."""
        core = openvino.Core()
        try:
            model = core.read_model(weights)
            model.reshape([1, INPUT_SIZE, INPUT_SIZE, 3])
            self._network = core.compile_model(model, "CPU", AS_EVERYWHERE)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise UserError(f"cannot read {weights} as a MoveNet model ({reason}); fetch it again") from None

    def reset(self) -> None:
        """Nothing is kept from frame to frame."""

    def estimate(self, frame: Frame) -> list[Pose]:
        """The people in `frame`, in pixels of the frame."""
        height, width = frame.image.shape[:2]
        scale = INPUT_SIZE / max(height, width)
        inside = round(width * scale), round(height * scale)
        square = np.zeros((1, INPUT_SIZE, INPUT_SIZE, 3), np.uint8)  # letterbox: the picture top left, black beyond
        resized = cv2.resize(frame.image, inside, interpolation=cv2.INTER_AREA)
        square[0, : inside[1], : inside[0]] = cv2.cvtColor(resized, cv2.COLOR_BGR2RGB)
        people = next(iter(self._network(square).values()))[0]  # (6, 56)
        return [_pose(person, INPUT_SIZE / scale) for person in people if person[55] >= MIN_PERSON_SCORE]


def _pose(person: np.ndarray, size_px: float) -> Pose:
    """One row of the output: 17 x (y, x, score), then ymin, xmin, ymax, xmax, score, in shares of the square."""
    y, x, confidence = person[: 3 * JOINT_COUNT].reshape(JOINT_COUNT, 3).T
    keypoints = np.column_stack([x * size_px, y * size_px, confidence]).astype(np.float32)  # (V, 3)
    box = person[[52, 51, 54, 53]].astype(np.float32) * size_px
    return Pose(keypoints, box, float(person[55]))
