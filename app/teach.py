"""Learn actions from clips of them: `python -m app.teach clips`.

  clips/dab/1.mp4, clips/dab/2.mp4, ... clips/salute/1.mp4, ...

A folder for each action, named as it shall be announced; in it clips of one person each who does that and little else,
a second or two long: four of them or more, ten are better. What is in a folder "other" means nothing, such as movements
that were mistaken for one of the actions.

Skeletons are found in all clips, and kept: of a clip that was there before, they are not sought again, whatever --pose
says; for those of another pose model, name another folder with -o. Three quarters of the clips train, a quarter say how
well the network knows what it has not seen. It starts from the network that comes along, which stays beside it and goes
on announcing what it knows. The recipe is configs/actions/my_actions.py.
"""

import argparse
import csv
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from app import options
from app.capture import VideoReader
from app.errors import UserError, run
from app.follower import Follower
from app.outputs import TextOutput
from app.pipeline import require_fit
from app.pose.base import PoseEstimator
from app.skeletons import SkeletonWriter
from stgcn import train
from stgcn.readers.skeletons import path_of
from stgcn.settings import Settings, read_settings
from stgcn.skeleton_files import SkeletonHeader

RECIPE = Path(__file__).parents[1] / "configs" / "actions" / "my_actions.py"
TEST_EVERY, FEWEST = 4, 4  # clips of an action: each of so many tests; the least that can be divided
SPLITS = "splits.csv"
EXAMPLES = """examples:
  python -m app.teach clips                            writes work_dirs/taught/model.pth
  python -m app.live --actions work_dirs/taught/model.pth
"""


def find(folder: Path) -> dict[str, list[Path]]:
    """The videos of each action, both by name. UserError: there are none, or of an action too few."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; make one, with a folder of clips for each action, {folder}/wave/1.mp4")
    actions = {each.name: sorted(path for path in each.iterdir() if path.is_file() and path.name[0] != ".")
               for each in sorted(folder.iterdir()) if each.is_dir() and each.name[0] != "."}  # fmt: skip
    if not actions:
        raise UserError(f"{folder} holds no folders; make one for each action, with clips of it, {folder}/wave/1.mp4")
    for action, clips in actions.items():
        if len(clips) < FEWEST:
            raise UserError(f"{folder / action} holds {len(clips)} clips; record {FEWEST} or more, ten are better")
        stems = [clip.stem for clip in clips]
        if twice := next((stem for stem in stems if stems.count(stem) > 1), None):
            raise UserError(f"two clips in {folder / action} are called {twice}; rename one")
    return actions


def divide(actions: dict[str, list[Path]]) -> list[tuple[str, str, str]]:
    """For each clip, a row of the list that `stgcn.readers.skeletons` reads: name, action, "train" or "test"."""
    return [(f"{action}/{clip.name}", action, "test" if i % TEST_EVERY == TEST_EVERY - 1 else "train")
            for action, clips in actions.items() for i, clip in enumerate(clips)]  # fmt: skip


def settings_for(work_dir: Path, start: Path) -> Settings:
    """The recipe, for the clips that are in `work_dir`, from the checkpoint `start` on."""
    skeletons = str(work_dir / "skeletons")
    return read_settings(RECIPE, {
        "data.splits": str(work_dir / SPLITS), "data.train": [skeletons], "data.test": {"clips": skeletons},
        "training.start": str(start),
    })  # fmt: skip


def _extract(actions: dict[str, list[Path]], folder: Path, args: argparse.Namespace) -> None:
    """Skeleton files of all clips that have none, or an older one, in `folder`."""
    wanted = [(clip, path_of(folder, f"{action}/{clip.name}")) for action, clips in actions.items() for clip in clips]
    missing = [(clip, target) for clip, target in wanted
               if not target.is_file() or target.stat().st_mtime < clip.stat().st_mtime]  # fmt: skip
    if not missing:
        return
    for clip, _ in missing:  # before the first is looked at
        VideoReader(clip).close()
    estimator = options.load_pose(args)
    for clip, target in tqdm(missing, desc="skeletons", unit="clip", disable=None):
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_skeletons(clip, target, estimator)


def _write_skeletons(clip: Path, target: Path, estimator: PoseEstimator) -> None:
    """The skeleton file of a clip, all of it or none. UserError: the clip is damaged."""
    follower = Follower()
    estimator.reset()
    with VideoReader(clip) as video:
        header = SkeletonHeader(float(video.info.fps), video.info.size, clip.name)
        frames = [follower.update(frame.index, frame.time_s, estimator.estimate(frame)) for frame in video]
    output = TextOutput(target)
    writer = SkeletonWriter(output.file, header)
    for frame in frames:
        writer.write(frame)
    output.close()
    if not any(frame.tracks for frame in frames):
        tqdm.write(f"{clip}: nobody in view", file=sys.stderr)


def teach(args: argparse.Namespace, command: str) -> None:
    """Find skeletons, train, and test. UserError: the clips or the folders cannot be used."""
    actions, work_dir = find(args.clips), args.output
    try:
        require_fit(options.load_actions(args))
        work_dir.mkdir(parents=True, exist_ok=True)
        _extract(actions, work_dir / "skeletons", args)
        with (work_dir / SPLITS).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("video", "class", "split1"), *divide(actions)])
        experiment = train.ready(settings_for(work_dir, args.actions), work_dir)
    except OSError as error:
        raise UserError(f"cannot write to {work_dir} ({error.strerror.lower()}); name another folder with -o") from None
    except ValueError as error:
        raise UserError(str(error)) from None
    train.train_and_write(experiment, work_dir, command)


def main(arguments: Sequence[str] | None = None) -> None:
    args = _parser().parse_args(arguments)
    teach(args, f"python -m app.teach {shlex.join(sys.argv[1:] if arguments is None else arguments)}")
    print(f"now run: python -m app.live --actions {shlex.quote(str(args.output / train.MODEL))}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.teach", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, metavar="FOLDER", help="with a folder of clips for each action")
    parser.add_argument("-o", "--output", type=Path, default=Path("work_dirs/taught"), metavar="FOLDER",
                        help="skeletons, the network and its results go there (default: %(default)s)")
    options.add_model_options(parser)
    return parser


if __name__ == "__main__":
    run(main)
