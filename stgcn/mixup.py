"""Samples that are partly one clip and partly another, and have to be called both.

Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: Beyond Empirical Risk Minimization" (arXiv 1710.09412). What lies between two
clips is never the same twice, and cannot be learned by heart. Here every sample of a batch has a share of its own, and
remains more itself than the other.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Mixture:
    """Of N samples: how much of itself each keeps, 0.5..1, (N,); and with which it is mixed, (N,)."""

    share: Tensor
    other: Tensor

    @classmethod
    def draw(cls, samples: int, strength: float) -> Self:
        """With torch's random numbers. strength: both parameters of the beta distribution that shares are drawn from,
        above 0; far below 1 most samples stay nearly what they are, at 1 all shares are equally likely."""
        share = torch.distributions.Beta(strength, strength).sample((samples,))
        return cls(torch.maximum(share, 1 - share), torch.randperm(samples))

    def __call__(self, values: Tensor) -> Tensor:
        """(N, ...) -> (N, ...): network inputs, or probabilities of classes."""
        share, other = self.share.to(values.device), self.other.to(values.device)
        return torch.lerp(values[other], values, share.view(-1, *[1] * (values.ndim - 1)))
