"""Batch norms after training: their statistics measured anew, of the network as it is used.

During training they follow weights that still change, and see features that dropout has widened, as it does not where
the network is used (arXiv 1801.05134). Weights that are a mean of others have no statistics of their own at all (arXiv
1803.05407).
"""

from copy import deepcopy

import torch
from torch import nn
from torch.optim.swa_utils import update_bn
from torch.utils.data import DataLoader, RandomSampler
from tqdm import tqdm

from stgcn.data import SkeletonDataset

MOST_SAMPLES = 4096  # what takes a CPU core half a minute or two; large sets hold many times more


def settle(network: nn.Module, samples: SkeletonDataset, batch_size: int, seed: int = 0, quiet: bool = False) -> None:
    """Give batch norms the statistics that they have on `samples` without dropout, the mean over batches.

    samples: what the network was trained on, up to MOST_SAMPLES of it, in an order of `seed`. quiet: no progress bar.
    """
    chosen = RandomSampler(samples, num_samples=min(len(samples), MOST_SAMPLES),
                           generator=torch.Generator().manual_seed(seed))  # fmt: skip
    batches = DataLoader(samples, batch_size, sampler=chosen, drop_last=len(chosen) > batch_size)
    without_dropout = deepcopy(network)
    for module in without_dropout.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    device = next(network.parameters()).device
    with tqdm(batches, desc="batch norms", unit="batch", leave=None, disable=quiet) as bar:
        update_bn(bar, without_dropout, device)
    network.load_state_dict(without_dropout.state_dict())
