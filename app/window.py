"""The window on the screen, through OpenCV."""

import os
import subprocess
import sys

import cv2
import numpy as np

from app.errors import UserError

TITLE = "skeleton actions"
QUIT = ("q", "\x1b")  # keys: the letter and Esc
KEY_WAIT_MS = 1
PROBE_TIMEOUT_S = 20
# OpenCV's own Qt looks for fonts that its wheel does not bring, and says so for every window.
os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")


class Window:
    """Shows pictures and hears keys. Raises UserError where there is no screen; `otherwise`: what to do there."""

    def __init__(self, otherwise: str):
        _require_screen(otherwise)
        cv2.namedWindow(TITLE, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)

    def show(self, picture: np.ndarray) -> None:
        """Show (H, W, 3) uint8 BGR."""
        cv2.imshow(TITLE, picture)

    def key(self) -> str:
        """The key that was pressed since the last call, "" for none; "q" when the window was closed."""
        code = cv2.waitKey(KEY_WAIT_MS)
        if cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1:
            return "q"
        return "" if code < 0 else chr(code & 0xFF)

    def close(self) -> None:
        cv2.destroyWindow(TITLE)


def _require_screen(otherwise: str) -> None:
    """Try a window in a process of its own: where the screen cannot be reached, Qt ends the whole process."""
    probe = [sys.executable, "-c", "import cv2; cv2.namedWindow('probe'); cv2.waitKey(1)"]
    try:
        done = subprocess.run(probe, capture_output=True, timeout=PROBE_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode:
        display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or "unset"
        raise UserError(f"no window can be opened (DISPLAY is {display}); run it on a desktop, or {otherwise}")
