"""Show what a decision rests on: `python -m stgcn.explain CKPT CLIP [--class NAME] [-o FOLDER]`."""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from stgcn import exit_codes
from stgcn.checkpoint import load
from stgcn.explain_pictures import draw_maps, draw_moments, write_video
from stgcn.explain_walk import walk
from stgcn.explanation import Explanation, explain, read
from stgcn.readers.skeletons import SKELETON_SUFFIX
from stgcn.taught import Taught

COMMAND = "python -m stgcn.explain"
FOLDER = Path("work_dirs/explain")
NAMED = 3  # classes and joints

DESCRIPTION = """\
Show which joints and which moments of a clip made the network decide as it does.

Looks at the clip's main person, in the window that ends with the clip, and writes
  CLIP.CLASS.png          joints over seconds: strength of the response, and what speaks for the class
  CLIP.CLASS.moments.png  the body at a few moments, each joint coloured by what it says
  CLIP.CLASS.mp4          the same as a video"""
EPILOG = f"""\
A skeleton file comes from any video:
  python -m app.video waving.mp4 --no-video --skeletons waving.skeletons.jsonl
  {COMMAND} checkpoints/stgcn-jhmdb-coco17.pth waving.skeletons.jsonl
Why was it not another class? Ask for that one:
  {COMMAND} checkpoints/stgcn-jhmdb-coco17.pth waving.skeletons.jsonl --class clap
docs/explain.md walks through an example and says what the maps can tell and what they cannot."""


def summary(explanation: Explanation) -> list[str]:
    """What the pictures show, in a few lines."""
    best = explanation.ranked_classes()[:NAMED]
    classes = ", ".join(f"{name} {100 * score:.1f} %" for name, score in best)
    joints = ", ".join(f"{name} {part:+.2f}" for name, part in explanation.ranked_joints()[:NAMED])
    logit = explanation.responses.logits[explanation.chosen]
    bias = explanation.responses.bias[explanation.chosen]
    start_s, end_s = explanation.best_span()
    return [
        f"classes: {classes}",
        f"logit of {explanation.label}: {logit:.3f} = {logit - bias:.3f} mean of its map {bias:+.3f} bias",
        f"joints that spoke most for it: {joints}",
        f"time that spoke most for it: {start_s:.2f} to {end_s:.2f} s",
    ]


def write_pictures(explanation: Explanation, folder: Path, name: str) -> list[Path]:
    """Both PNGs and the video, as `folder/name.CLASS...`; the paths. OSError: one cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    label = re.sub(r"[^\w-]+", "_", explanation.label)  # a class may be named "put on a hat/cap"
    outputs = {".png": draw_maps, ".moments.png": draw_moments, ".mp4": write_video}
    paths = [folder / f"{name}.{label}{suffix}" for suffix in outputs]
    for path, draw in zip(paths, outputs.values()):
        draw(path, explanation)
    return paths


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description=DESCRIPTION, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("checkpoint", metavar="CKPT", type=Path,
                        help="a checkpoint that python -m stgcn.train wrote")  # fmt: skip
    parser.add_argument("clip", metavar="CLIP", type=Path, help=f"a skeleton file (*{SKELETON_SUFFIX})")
    parser.add_argument("--class", dest="class_name", metavar="NAME",
                        help="the class to explain (default: the likeliest)")  # fmt: skip
    parser.add_argument("-o", "--output", metavar="FOLDER", type=Path, default=FOLDER,
                        help=f"where the pictures go (default: {FOLDER})")  # fmt: skip
    parser.add_argument("--walk", action="store_true",
                        help="instead of all that, print the way from keypoints to label with its numbers, "
                             "as Markdown")  # fmt: skip
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command. Exits with 2 and one line on bad input."""
    options = _parse(arguments)
    try:
        checkpoint = load(options.checkpoint)
        if isinstance(checkpoint.model, Taught):
            print(f"two networks judge together in {options.checkpoint}; this is about the one that was taught",
                  file=sys.stderr)
            checkpoint = replace(checkpoint, model=checkpoint.model.learned)
        clip = read(checkpoint, options.clip)
        explanation = explain(checkpoint, clip, options.class_name)
        if options.walk:
            print(walk(checkpoint, clip, explanation))
            return
        name = options.clip.name.removesuffix(SKELETON_SUFFIX).removesuffix(".jsonl")
        paths = write_pictures(explanation, options.output, name)
    except ValueError as error:
        _refuse(" ".join(str(error).split()))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        _refuse(f"cannot write into {options.output} ({reason}); choose another folder with -o")
    print(*summary(explanation), *paths, sep="\n")


def _refuse(problem: str) -> NoReturn:
    print(f"error: {problem}", file=sys.stderr)
    sys.exit(exit_codes.BAD_INPUT)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(exit_codes.INTERRUPTED)
