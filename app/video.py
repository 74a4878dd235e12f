"""Label the people in video files: `python -m app.video input.mp4`.

The same frames always give the same labels: every frame is looked at, in order, at its media time.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Self

from tqdm import tqdm

from app import options, skeletons
from app.capture import Frame, VideoReader
from app.errors import UserError, run
from app.outputs import Results, Targets
from app.pipeline import Recogniser, Recognition
from app.pose.base import PoseEstimator
from app.skeletons import MIN_SPAN_S
from app.timing import Stopwatch
from stgcn.skeleton_files import SkeletonHeader

SKELETON_SUFFIX = ".jsonl"
EXAMPLES = """examples:
  python -m app.video input.mp4                        writes input.annotated.mp4
  python -m app.video input.mp4 -o out.mp4 --events events.jsonl --skeletons input.skeletons.jsonl
  python -m app.video input.skeletons.jsonl --events - recognises again, from skeletons alone
  python -m app.video a.mp4 b.mp4 -o annotated/        several videos into a folder
"""


class Source:
    """A video or a skeleton file, to be made a stream of recognitions."""

    def __init__(self, path: Path, estimator: PoseEstimator | None):
        self._path, self._estimator = path, estimator
        self.reader: VideoReader | None = None
        if path.suffix == SKELETON_SUFFIX:
            self.header, self._skeletons = skeletons.read(path)
            self.frames = None
        else:
            self.reader = VideoReader(path)
            info = self.reader.info
            self.header = SkeletonHeader(float(info.fps), info.size, path.name)
            self.frames = info.frames

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        if self.reader:
            self.reader.close()

    def recognitions(self, recogniser: Recogniser) -> Iterator[tuple[Frame | None, Recognition]]:
        if self.reader is None:
            for frame in self._skeletons:
                yield None, recogniser.recognise_skeletons(frame)
            return
        stopwatch = recogniser.stopwatch
        self._estimator.reset()
        frames = iter(self.reader)
        while True:
            with stopwatch("decode"):
                frame = next(frames, None)
            if frame is None:
                return
            with stopwatch("pose"):
                poses = self._estimator.estimate(frame)
            yield frame, recogniser.recognise(frame.index, frame.time_s, poses)


def process(
    path: Path, targets: Targets, recogniser_for: Callable[[int], Recogniser], estimator: PoseEstimator | None,
    show_bar: bool,
) -> int:  # fmt: skip
    """Recognise one input and write its results. Returns the number of frames.

    recogniser_for: makes one for videos of that many pixels in height.

    Raises UserError on bad input. Whatever was recognised before the input broke stays, in files whose names
    contain `.partial`; on Ctrl-C the files are finished where the work stopped.
    """
    count, people, judged = 0, set(), set()
    with Source(path, estimator) as source:
        recogniser = recogniser_for(source.header.size[1])
        results = Results(targets, source.header, source.reader, recogniser.stopwatch)
        try:
            with tqdm(total=source.frames, desc=path.name, unit="frame", disable=None if show_bar else True) as bar:
                for frame, recognition in source.recognitions(recogniser):
                    results.write(frame, recognition)
                    people.update(track.id for track in recognition.skeletons.tracks)
                    judged.update(recognition.states)
                    count += 1
                    bar.update()
            results.write_events(recogniser.finish())
            results.close()
        except KeyboardInterrupt:
            results.write_events(recogniser.finish())
            results.stop()
            raise
        except UserError as error:
            kept = results.abandon(keep=count > 0)
            note = f"; the {count} frames before that are in {', '.join(map(str, kept))}" if kept else ""
            raise UserError(f"{error}{note}") from None
        except BaseException:
            results.abandon(keep=False)
            raise
    if not people:
        print(f"{path.name}: nobody in view", file=sys.stderr)
    elif not judged:
        print(f"{path.name}: nobody in view for {MIN_SPAN_S:g} s, without which no action is told", file=sys.stderr)
    return count


def main() -> None:
    args = _parser().parse_args()
    for path in args.inputs:
        if not path.exists():
            raise UserError(f"{path}: no such file; check the path")
    jobs = [(path, _targets(path, args)) for path in args.inputs]
    files = [file for _, targets in jobs for file in targets.files]
    if twice := next((file for file in files if files.count(file) > 1), None):
        raise UserError(f"two results would go to {twice}; give them different names or folders")
    checkpoint = options.load_actions(args)
    device = options.load_device(args)
    needs_pose = any(path.suffix != SKELETON_SUFFIX for path in args.inputs)
    estimator = options.load_pose(args) if needs_pose else None
    stopwatch, frames = Stopwatch(), 0
    recogniser_for = partial(Recogniser, checkpoint, device, stopwatch)
    many = len(jobs) > 1
    for path, targets in tqdm(jobs, unit="input", disable=None if many else True):
        frames += process(path, targets, recogniser_for, estimator, show_bar=not many)
        if targets.video:
            tqdm.write(f"annotated video: {targets.video}", file=sys.stderr)
    if args.timings:
        print(stopwatch.table(frames), file=sys.stderr)


def _targets(path: Path, args: argparse.Namespace) -> Targets:
    """Where the results of `path` go. With several inputs the options name folders, arranged like the inputs."""
    has_pictures = path.suffix != SKELETON_SUFFIX
    if not has_pictures and args.output:
        raise UserError(f"{path} holds skeletons and no pictures to annotate; leave out -o, or give the video")
    stem = path.name.removesuffix(SKELETON_SUFFIX).removesuffix(".skeletons").removesuffix(path.suffix)
    base = os.path.commonpath([other.absolute().parent for other in args.inputs])

    def target(option: Path | None, suffix: str) -> Path | None:
        if option is None or str(option) == "-" or not (len(args.inputs) > 1 or option.is_dir()):
            return option
        folder = option / path.absolute().parent.relative_to(base)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot make the folder {folder} ({error.strerror.lower()}); with several inputs, "
                            "-o, --events and --skeletons name folders") from None
        return folder / f"{stem}{suffix}"

    video = target(args.output or Path("."), ".annotated.mp4") if has_pictures and not args.no_video else None
    return Targets(video, target(args.events, ".events.jsonl"), target(args.skeletons, ".skeletons.jsonl"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.video", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT",
                        help="a video, or a skeleton file (.jsonl) made with --skeletons")
    parser.add_argument("-o", "--output", type=Path,
                        help="annotated video (.mp4), or a folder for several inputs (default: INPUT.annotated.mp4)")
    parser.add_argument("--no-video", action="store_true", help="write no annotated video")
    parser.add_argument("--events", type=Path, metavar="FILE|-",
                        help="write events as JSON Lines; - for standard output")
    parser.add_argument("--skeletons", type=Path, metavar="FILE", help="write everybody's keypoints as JSON Lines")
    parser.add_argument("--timings", action="store_true", help="say how long each part took")
    options.add_model_options(parser)
    return parser


if __name__ == "__main__":
    run(main)
