"""What a network costs: its size, its arithmetic, its time; and how much of a clip it sees."""

import copy
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

WARM_UP = 2  # first runs, in which memory is allocated and kernels are chosen
INFERENCE_RUNS, TRAINING_RUNS = 30, 5

Shape = tuple[int, int, int, int, int]  # N, C, T, V, M


@dataclass(frozen=True)
class Cost:
    """Figures of one network, for clips of one shape. Times are of the processor, on one thread.

    parameters: numbers that are learned.
    multiply_adds: of one clip, see `multiply_adds`.
    receptive_field: frames, None without limit, see `receptive_field`.
    inference_ms: milliseconds for one clip, see `inference_ms`.
    training_clips_per_s: see `training_clips_per_s`.
    """

    parameters: int
    multiply_adds: int
    receptive_field: int | None
    inference_ms: float
    training_clips_per_s: float


def measure_cost(network: nn.Module, clip: tuple[int, int, int, int], batch_size: int) -> Cost:
    """All figures of a network on the CPU, which stays as it is.

    clip: its (C, T, V, M). batch_size: clips a training step, at least 2.
    """
    return Cost(
        parameters=count_parameters(network),
        multiply_adds=multiply_adds(network, (1, *clip)),
        receptive_field=receptive_field(network),
        inference_ms=inference_ms(network, (1, *clip)),
        training_clips_per_s=training_clips_per_s(network, (batch_size, *clip)),
    )


def count_parameters(network: nn.Module) -> int:
    """Numbers that are learned; statistics of batch norm and fixed graphs are not."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)


def multiply_adds(network: nn.Module, shape: Shape) -> int:
    """Multiply-adds of one forward pass over input of that shape: half of what torch counts as operations.

    Counted are convolutions and matrix products, those inside recurrent layers included. Not counted: what
    is done element by element (activations, gates, sums), batch norm, pooling, and the sums over neighbours
    of torch_geometric's layers, which gather and scatter; ST-GCN's are matrix products and are counted.
    """
    abstract = copy.deepcopy(network).to("meta").eval()  # there the LSTM falls apart into what is counted
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        abstract(torch.empty(shape, device="meta"))
    return counter.get_total_flops() // 2


def receptive_field(network: nn.Module) -> int | None:
    """Frames that one feature of the last layer sees, before the average over the clip. None: all of them.

    Follows from kernels, dilations and strides of the parts called `temporal`, in the order in which the
    network has them; one without such a part sees single frames, one with a recurrent layer everything.
    """
    if any(isinstance(part, nn.RNNBase) for part in network.modules()):
        return None
    field, step = 1, 1  # frames seen; frames from one feature to the next
    for block in network.modules():
        temporal = getattr(block, "temporal", None)
        if isinstance(temporal, nn.Module):
            span, stride = _window(temporal)
            field += (span - 1) * step
            step *= stride
    return field


def _window(temporal: nn.Module) -> tuple[int, int]:
    """Frames that the widest branch sees, and the stride; one layer of a branch is wider than a frame."""
    layers = [layer for layer in temporal.modules() if isinstance(layer, (nn.Conv2d, nn.MaxPool2d))]
    spans = [_in_time(layer.dilation) * (_in_time(layer.kernel_size) - 1) + 1 for layer in layers]
    return max(spans), max(_in_time(layer.stride) for layer in layers)


def _in_time(value: int | tuple[int, int]) -> int:
    return value[0] if isinstance(value, tuple) else value


def inference_ms(network: nn.Module, shape: Shape) -> float:
    """Milliseconds of one forward pass over input of that shape, median of several, CPU, one thread."""
    network = copy.deepcopy(network).cpu().eval()
    clips = torch.randn(shape)
    with torch.inference_mode():
        return 1000 * _median_s(lambda: network(clips), INFERENCE_RUNS)


def training_clips_per_s(network: nn.Module, shape: Shape) -> float:
    """Clips a second in training steps on batches of that shape, median of several, CPU, one thread.

    A step is forward, backward and SGD; the preparation of the batch, which is the same for every network,
    is not in it.
    """
    network = copy.deepcopy(network).cpu().train()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, nesterov=True)
    clips, labels = torch.randn(shape), torch.zeros(shape[0], dtype=torch.long)

    def step() -> None:
        optimizer.zero_grad()
        cross_entropy(network(clips), labels).backward()
        optimizer.step()

    return shape[0] / _median_s(step, TRAINING_RUNS)


def _median_s(run: Callable[[], object], times: int) -> float:
    with _one_thread():
        for _ in range(WARM_UP):
            run()
        return statistics.median(_duration_s(run) for _ in range(times))


def _duration_s(run: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    run()
    return time.perf_counter() - start_s


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
