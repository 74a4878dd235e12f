"""People by MMPose: top-down (RTMDet finds boxes, a pose network fills them) or one-stage (such as RTMO)."""

import contextlib
import warnings
from pathlib import Path

import numpy as np
import torch

from app.assets import default_folders
from app.capture import Frame
from app.errors import UserError
from app.pose import compiled, openmmlab  # first: makes the following packages importable
from app.pose.base import JOINT_COUNT, Pose, PoseEstimator

import mmpose  # isort: skip
from mmcv.transforms import Compose  # isort: skip
from mmdet.apis import inference_detector, init_detector  # isort: skip
from mmdet.utils import get_test_pipeline_cfg  # isort: skip
from mmengine.config import Config  # isort: skip
from mmengine.registry import DefaultScope  # isort: skip
from mmpose.apis import inference_bottomup, inference_topdown, init_model  # isort: skip

MMPOSE_CONFIGS = Path(mmpose.__file__).parent / ".mim"
DETECTOR_CONFIG = MMPOSE_CONFIGS / "demo/mmdetection_cfg/rtmdet_nano_320-8xb32_coco-person.py"

DETECT_EVERY = 5  # frames; in between, each person's box follows from their keypoints
NEW_PERSON_SCORE = 0.45  # what the detector must give somebody who is not being followed
ONLY_PERSON_SCORE = 0.3  # the likeliest one, where nobody else is: with so little, several are often one person
FOLLOWED_PERSON_SCORE = 0.25  # and somebody who is: a person does not vanish because the detector hesitates
SAME_PERSON_IOU = 0.5
SEEN_CONFIDENCE = 0.2  # a keypoint below it says nothing about where the person is
MIN_SEEN_KEYPOINTS = 4
BOX_MARGIN = 0.15  # of the keypoints' extent, each side: hair, hands and feet reach beyond the joints
MIN_POSE_SCORE = 0.2  # mean confidence of the keypoints; below it there is nobody in the box


class PersonDetector:
    """RTMDet through MMDetection: boxes of the people in an image."""

    def __init__(self, weights: Path, device: str):
        self._model = _build(init_detector, DETECTOR_CONFIG, weights, device)
        pipeline = get_test_pipeline_cfg(self._model.cfg)
        pipeline[0].type = "mmdet.LoadImageFromNDArray"
        with _registry_of(self._model.cfg):
            self._pipeline = Compose(pipeline)

    def detect(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (n, 4: x1, y1, x2, y2 px) and scores (n,), best first, down to FOLLOWED_PERSON_SCORE."""
        with _registry_of(self._model.cfg):
            found = inference_detector(self._model, image, self._pipeline).pred_instances
        people = (found.labels == 0) & (found.scores >= FOLLOWED_PERSON_SCORE)
        return found.bboxes[people].cpu().numpy(), found.scores[people].cpu().numpy()


class TopDownEstimator:
    """A detector every few frames, on every frame while nobody is in view, and a pose network on every frame.

    The pose network's own output moves the boxes between two detections, which costs nothing and follows
    faster than the detector would.
    """

    def __init__(self, config: Path, weights: Path, detector_weights: Path, device: str):
        self.name = f"MMPose {config.stem}"
        self._model = _build(init_model, config, weights, device)
        if device == "cpu":
            compiled.speed_up(self._model, default_folders())
        self._detector = PersonDetector(detector_weights, device)
        self.reset()

    def reset(self) -> None:
        """Forget the people of earlier frames: the next frame belongs to another video."""
        self._followed = np.zeros((0, 4), np.float32)
        self._frames_since_detection = DETECT_EVERY

    def estimate(self, frame: Frame) -> list[Pose]:
        """The people in `frame`, in pixels of the frame."""
        boxes = self._boxes(frame.image)
        people = []
        if len(boxes):  # for none, MMPose would take the whole picture
            with _registry_of(self._model.cfg):
                people = inference_topdown(self._model, frame.image, boxes)
        poses = [_pose(person.pred_instances, 0, box) for person, box in zip(people, boxes)]
        poses = [pose for pose in poses if pose.score >= MIN_POSE_SCORE]
        followed = [box for pose in poses if (box := _box_of_keypoints(pose.keypoints)) is not None]
        self._followed = np.array(followed, np.float32).reshape(-1, 4)
        return poses

    def _boxes(self, image: np.ndarray) -> np.ndarray:
        """Where to look for a pose, (n, 4); whom the detector does not confirm, when its turn comes, is forgotten."""
        self._frames_since_detection += 1
        if len(self._followed) and self._frames_since_detection < DETECT_EVERY:
            return self._followed
        self._frames_since_detection = 0
        boxes, scores = self._detector.detect(image)
        known = _iou(boxes, self._followed).max(axis=1, initial=0) >= SAME_PERSON_IOU
        there = known | (scores >= NEW_PERSON_SCORE)
        if not there.any():
            there[:1] = scores[:1] >= ONLY_PERSON_SCORE
        return boxes[there]


class OneStageEstimator:
    """People and keypoints from one network, without a detector: RTMO and its like."""

    def __init__(self, config: Path, weights: Path, device: str):
        self.name = f"MMPose {config.stem}"
        self._model = _build(init_model, config, weights, device)

    def reset(self) -> None:
        """Nothing is kept from frame to frame."""

    def estimate(self, frame: Frame) -> list[Pose]:
        """The people in `frame`, in pixels of the frame."""
        with _registry_of(self._model.cfg):
            people = inference_bottomup(self._model, frame.image)[0].pred_instances
        poses = [_pose(people, index, box) for index, box in enumerate(people.bboxes)]
        return [pose for pose in poses if pose.score >= MIN_POSE_SCORE]


def build(config: Path, weights: Path, detector_weights: Path | None, device: str) -> PoseEstimator:
    """The estimator that an MMPose config describes.

    Raises UserError when the config or the weights cannot be used, or do not belong together.
    """
    if is_top_down(config):
        return TopDownEstimator(config, weights, detector_weights, device)
    return OneStageEstimator(config, weights, device)


def is_top_down(config: Path) -> bool:
    """Whether the model of an MMPose config needs a person detector."""
    return _read_config(config).model.type.endswith("TopdownPoseEstimator")


def _read_config(path: Path) -> Config:
    if not path.is_file():
        raise UserError(f"pose config {path} does not exist; name an MMPose config, or use --pose auto")
    try:
        config = Config.fromfile(path)
        config.model.type  # noqa: B018
    except Exception as error:  # a config is a program: it may raise anything
        raise UserError(f"cannot read {path} as an MMPose config: {error}".replace("\n", " ")) from None
    return config


def _build(init, config_path: Path, weights: Path, device: str) -> torch.nn.Module:
    """A model of MMPose (`init_model`) or MMDetection (`init_detector`) with its weights."""
    config = _read_config(config_path)
    config.model.setdefault("test_cfg", {})["flip_test"] = False  # a second, mirrored pass doubles the cost
    # Both warn, past any filter, that names of classes or keypoints default to COCO's: recorded, not shown.
    with warnings.catch_warnings(record=True), _registry_of(config):
        try:
            model = init(config, None, device=device)
        except (KeyError, TypeError, AssertionError) as error:
            raise UserError(f"MMPose cannot build the model of {config_path}: {error}".replace("\n", " ")) from None
    openmmlab.load_weights(model, weights)
    joints = model.dataset_meta.get("num_keypoints", JOINT_COUNT)
    if joints != JOINT_COUNT:
        raise UserError(f"{config_path} gives {joints} keypoints; choose a config for the 17 of COCO")
    return model


def _registry_of(config: Config) -> contextlib.AbstractContextManager:
    """MMPose and MMDetection each look names up in their own registry: the one that a config belongs to."""
    return DefaultScope.overwrite_default_scope(config.get("default_scope", "mmpose"))


def _pose(people, index: int, box: np.ndarray) -> Pose:
    """Person `index` of MMPose's `pred_instances`."""
    confidence = np.clip(people.keypoint_scores[index], 0, 1)
    keypoints = np.column_stack([people.keypoints[index], confidence]).astype(np.float32)  # (V, 3)
    return Pose(keypoints, np.asarray(box, np.float32), float(confidence.mean()))


def _box_of_keypoints(keypoints: np.ndarray) -> np.ndarray | None:
    """(4,): where to look for this person in the next frame; None when too little of them was seen."""
    seen = keypoints[keypoints[:, 2] >= SEEN_CONFIDENCE, :2]
    if len(seen) < MIN_SEEN_KEYPOINTS:
        return None
    low, high = seen.min(axis=0), seen.max(axis=0)
    margin = BOX_MARGIN * (high - low).max()
    return np.concatenate([low - margin, high + margin])


def _iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n, 4) and (m, 4) to intersection over union (n, m)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    area, other_area = ((b[:, 2:] - b[:, :2]).prod(axis=-1) for b in (boxes, others))
    return shared / (area[:, None] + other_area[None] - shared + 1e-9)
