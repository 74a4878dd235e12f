"""How things look: skeletons, labels and the state of the program, painted on a copy of the picture."""

import colorsys
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from app.decisions import ActionState
from app.pipeline import Recognition
from app.pose.base import LAYOUT, Pose
from app.tracking import Track
from stgcn.graph import get_layout

SHOWN_CONFIDENCE = 0.2  # keypoints below it are not drawn
REFERENCE_HEIGHT = 480  # px; text and lines are this thick at this picture height and scale with it
REFERENCE_PERSON = 200  # px; the bones of somebody smaller than this are drawn thinner
MIN_TEXT_SCALE = 0.36  # below it Hershey letters can no longer be read

FONT = cv2.FONT_HERSHEY_SIMPLEX
WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (60, 60, 230)  # BGR
HINTED_PROGRESS = 0.5  # from here on, what a decision may become is named, with a question mark
NOTHING = "nothing"  # is an answer too; somebody who was not judged yet has no answer
TOO_SMALL = "too far away"  # is none, and says what helps

# The network's graph ties the shoulders to the nose; a drawing wants a shoulder line and a hip line instead.
_LAYOUT = get_layout(LAYOUT)
DRAWN_BONES = tuple(
    (_LAYOUT.index(a), _LAYOUT.index(b))
    for a, b in (
        *(edge for edge in _LAYOUT.edges if not ("nose" in edge and any("shoulder" in joint for joint in edge))),
        ("left_shoulder", "right_shoulder"),
        ("left_hip", "right_hip"),
    )
)
HEAD_JOINTS = np.array([joint == "nose" or joint.endswith(("_eye", "_ear")) for joint in _LAYOUT.joints])  # (V,)


def draw(image: np.ndarray, recognition: Recognition, skeletons: bool = True) -> np.ndarray:
    """A new picture with everybody's skeleton, id, label and forming decision. `image` is left as it is.

    image: (H, W, 3) uint8 BGR. skeletons: False leaves out bones and joints.
    """
    canvas = image.copy()
    scale = canvas.shape[0] / REFERENCE_HEIGHT
    for track in recognition.skeletons.tracks:
        colour = track_colour(track.id)
        if skeletons:
            _draw_skeleton(canvas, track.pose, colour)
        _draw_tag(canvas, track.pose, track.id, recognition.states.get(track.id), colour, scale)
    return canvas


def mirrored(image: np.ndarray, recognition: Recognition) -> tuple[np.ndarray, Recognition]:
    """Picture and skeletons as in a mirror; left joints stay left joints."""
    width = image.shape[1]

    def mirror(track: Track) -> Track:
        keypoints, box = track.pose.keypoints.copy(), track.pose.box
        keypoints[:, 0] = width - 1 - keypoints[:, 0]
        box = np.array([width - 1 - box[2], box[1], width - 1 - box[0], box[3]], np.float32)
        return replace(track, pose=replace(track.pose, keypoints=keypoints, box=box))

    skeletons = recognition.skeletons
    skeletons = replace(skeletons, tracks=tuple(map(mirror, skeletons.tracks)))
    return np.ascontiguousarray(image[:, ::-1]), replace(recognition, skeletons=skeletons)


def draw_lines(canvas: np.ndarray, lines: Sequence[str], recording: bool = False) -> None:
    """Paint lines of text into the top left corner of `canvas`, and a red dot while recording."""
    scale = canvas.shape[0] / REFERENCE_HEIGHT
    top = round(6 * scale)
    for line in lines:
        top += _draw_text(canvas, line, (round(6 * scale), top), scale, WHITE, BLACK)
    if recording:
        radius = max(4, round(8 * scale))
        cv2.circle(canvas, (canvas.shape[1] - 2 * radius, 2 * radius), radius, RED, cv2.FILLED, cv2.LINE_AA)


def track_colour(track: int) -> tuple[int, int, int]:
    """A bright colour (BGR) for a track; neighbouring ids get colours far apart (golden-angle hues)."""
    red, green, blue = colorsys.hsv_to_rgb((track * 0.618034) % 1.0, 0.75, 1.0)
    return round(blue * 255), round(green * 255), round(red * 255)


def _draw_skeleton(canvas: np.ndarray, pose: Pose, colour: tuple[int, int, int]) -> None:
    scale = min(canvas.shape[0] / REFERENCE_HEIGHT, (pose.box[3] - pose.box[1]) / REFERENCE_PERSON)
    seen = pose.keypoints[:, 2] >= SHOWN_CONFIDENCE
    points = [tuple(point) for point in pose.keypoints[:, :2].round().astype(int).tolist()]
    for a, b in DRAWN_BONES:
        if seen[a] and seen[b]:
            cv2.line(canvas, points[a], points[b], colour, max(1, round(2.5 * scale)), cv2.LINE_AA)
    for point, is_seen in zip(points, seen):
        if is_seen:
            cv2.circle(canvas, point, max(1, round(3.5 * scale)), WHITE, cv2.FILLED, cv2.LINE_AA)


def _draw_tag(
    canvas: np.ndarray, pose: Pose, track: int, state: ActionState | None, colour: tuple[int, int, int], scale: float
) -> None:
    """Id and label above the person's head, and under them a bar that fills while a decision forms."""
    decided = state is not None and state.action is not None
    text = f"{track}" if state is None else f"{track}  {_said(state)}"
    width, height = _text_size(text, scale)
    bar_height, bar_width = max(3, round(5 * scale)), max(width, round(60 * scale))
    x, y = _above_head(pose)
    left = int(np.clip(x - bar_width / 2, 0, max(canvas.shape[1] - bar_width, 0)))
    top = int(np.clip(y - height - bar_height - 20 * scale, 0, max(canvas.shape[0] - height - bar_height, 0)))
    background, letters = (colour, BLACK) if decided else (BLACK, WHITE)
    _draw_text(canvas, text, (left, top), scale, letters, background)
    if state is None:
        return
    bar_top, filled = top + height, round(bar_width * state.progress)
    cv2.rectangle(canvas, (left, bar_top), (left + bar_width, bar_top + bar_height), BLACK, cv2.FILLED)
    cv2.rectangle(canvas, (left, bar_top), (left + filled, bar_top + bar_height), colour, cv2.FILLED)


def _said(state: ActionState) -> str:
    """What somebody does, in words."""
    if state.action is not None:
        return f"{state.action} {state.score:.2f}"
    if state.too_small:
        return TOO_SMALL
    return f"{state.candidate}?" if state.progress >= HINTED_PROGRESS else NOTHING


def _above_head(pose: Pose) -> tuple[float, float]:
    """The middle of the head across, and the highest point of the person; px."""
    seen = pose.keypoints[:, 2] >= SHOWN_CONFIDENCE
    head = seen & HEAD_JOINTS
    x = pose.keypoints[head, 0].mean() if head.any() else pose.box[[0, 2]].mean()
    return float(x), float(pose.keypoints[seen, 1].min() if seen.any() else pose.box[1])


def _text_style(scale: float) -> tuple[float, int]:
    text_scale = max(0.55 * scale, MIN_TEXT_SCALE)
    return text_scale, max(1, round(1.6 * text_scale))


def _text_size(text: str, scale: float) -> tuple[int, int]:
    """Width and height in px of `text` with its margin."""
    text_scale, thickness = _text_style(scale)
    (width, height), baseline = cv2.getTextSize(text, FONT, text_scale, thickness)
    return width + 2 * baseline, height + 2 * baseline


def _draw_text(
    canvas: np.ndarray, text: str, top_left: tuple[int, int], scale: float,
    colour: tuple[int, int, int], background: tuple[int, int, int],
) -> int:  # fmt: skip
    """Paint one line on a plain background, and return its height in px."""
    text_scale, thickness = _text_style(scale)
    width, height = _text_size(text, scale)
    baseline = cv2.getTextSize(text, FONT, text_scale, thickness)[1]
    left, top = top_left
    cv2.rectangle(canvas, (left, top), (left + width, top + height), background, cv2.FILLED)
    origin = left + baseline, top + height - baseline
    cv2.putText(canvas, text, origin, FONT, text_scale, colour, thickness, cv2.LINE_AA)
    return height
