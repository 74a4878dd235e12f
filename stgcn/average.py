"""One network from several: `python -m stgcn.average CKPT CKPT [CKPT ...] -o CKPT`.

Networks that went on from the same one, each by itself (`training.start`, another seed), err in different ways and
lie close enough together for the mean of their weights to be a network too, and a better one than each; it costs no
more to run than one of them. Wortsman and others, "Model soups" (arXiv 2203.05482).
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch.optim.swa_utils import AveragedModel

from stgcn import exit_codes
from stgcn.checkpoint import Checkpoint, load, save

COMMAND = "python -m stgcn.average"


def average(checkpoints: Sequence[Checkpoint]) -> Checkpoint:
    """The first checkpoint with the mean of all weights and statistics, and without metrics, which were its own.

    ValueError: one differs from the first in architecture, classes or preprocessing.
    """
    first = checkpoints[0]
    mean = AveragedModel(first.model, use_buffers=True)
    for number, other in enumerate(checkpoints, start=1):
        for name, own, wanted in (
            ("architecture", other.model.arguments, first.model.arguments),
            ("classes", other.classes, first.classes),
            ("preprocessing", other.preprocess, first.preprocess),
        ):
            if own != wanted:
                raise ValueError(f"checkpoint {number} has another {name} than the first, but should have one origin")
        mean.update_parameters(other.model)
    return replace(first, model=mean.module.eval(), metrics={}, about=first.about | {"averaged": len(checkpoints)})


def main(arguments: Sequence[str] | None = None) -> None:
    """The command. Exits with 2 and one line on bad input."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Average the weights of networks of one origin.")
    parser.add_argument("checkpoints", nargs="+", type=Path, metavar="CKPT", help="what python -m stgcn.train wrote")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="CKPT", help="where the mean goes")
    options = parser.parse_args(arguments)
    try:
        save(options.output, average([load(path) for path in options.checkpoints]))
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(exit_codes.BAD_INPUT)
    print(f"{len(options.checkpoints)} networks in {options.output}")


if __name__ == "__main__":
    main()
