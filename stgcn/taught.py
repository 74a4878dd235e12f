"""A network that was taught new actions and the one that it started from, judging together.

A few clips teach a network their actions and cost it much of what it knew. So the one that knew stays and goes on
judging that. Of the taught one only what it says of the new actions counts, and only as far as the other sees now what
it saw in their clips: what it took for nothing there is not announced of somebody whom it sees wave, unless it took
most of the clips for waving.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from stgcn.model import STGCN

ENOUGH = 0.25  # a class of nothing that has this score on average over the clips of an action speaks for it fully
MOSTLY = 0.5  # one that is announced speaks for an action from this average on: it is the same under another name


class Taught(nn.Module):
    """Skeleton sequences in, one logit per class of the taught network out, as `stgcn.model.STGCN`.

    With p_c the scores of the network that knew and q_k those of the taught one, action k has the score
    q_k * sum over c of alike_kc * p_c. What all of these leave of 1 is shared out as p says.

    before, learned: the two networks, in eval mode.
    taught: indices of the classes that were taught.
    places: for each class of `before`, its index among the classes of `learned`.
    temperature: of both scores, and that at which the logits give the scores above.

    ValueError: an index that is none, another number of places, or a temperature that is not above 0.
    """

    def __init__(self, before: STGCN, learned: STGCN, taught: Sequence[int], places: Sequence[int], temperature: float):
        super().__init__()
        self.arguments = dict(before=before.arguments, learned=learned.arguments, taught=list(taught),
                              places=list(places), temperature=temperature)  # fmt: skip
        if not set(range(learned.num_classes)).issuperset((*taught, *places)) or len(places) != before.num_classes:
            raise ValueError(f"{before.num_classes} classes in the places {places} and those taught, {taught}, are not "
                             f"of {learned.num_classes} classes")
        if not temperature > 0:
            raise ValueError(f"a temperature is above 0, got {temperature}")
        self.before, self.learned = before, learned
        self.num_classes, self.layout, self.in_channels = learned.num_classes, learned.layout, learned.in_channels
        self.register_buffer("taught", torch.tensor(taught), persistent=False)
        self.register_buffer("places", torch.tensor(places), persistent=False)
        self.register_buffer("alike", torch.zeros(len(taught), len(places)))  # 0..1
        self.temperature = temperature

    @classmethod
    def build(cls, before: Mapping[str, Any], learned: Mapping[str, Any], **options: Any) -> Self:
        """From `arguments`, with random weights. ValueError: see above and `STGCN`."""
        return cls(STGCN(**before), STGCN(**learned), **options)

    @torch.no_grad()
    def compare(self, inputs: Tensor, labels: Tensor, nothing: Sequence[int]) -> None:
        """Learn from clips what the network that knew sees in the actions that were taught.

        inputs: (N, C, T, V, M). labels: (N,); each class that was taught occurs.
        nothing: indices of classes of the network that knew which are not announced, or not any more. Any other one
            stays what it is, even if some of the clips are taken for it.
        """
        scores = self._scores(self.before, inputs)  # (N, classes of before)
        means = torch.stack([scores[labels == index].mean(dim=0) for index in self.taught])
        alike = (means >= MOSTLY).to(means)
        alike[:, nothing] = (means[:, nothing] / ENOUGH).clamp(max=1)
        self.alike.copy_(alike)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V, M) float -> (N, num_classes) logits. ValueError: see `STGCN`."""
        known, learned = self._scores(self.before, x), self._scores(self.learned, x)
        new = learned[:, self.taught] * (known @ self.alike.T)  # (N, len(taught))
        left = known * (1 - new.sum(dim=1, keepdim=True))  # (N, classes of before)
        scores = torch.zeros_like(learned).index_add(1, self.places, left).index_add(1, self.taught, new)
        return self.temperature * scores.clamp(min=torch.finfo(scores.dtype).tiny).log()

    def _scores(self, network: STGCN, x: Tensor) -> Tensor:
        return (network(x) / self.temperature).softmax(dim=1)
