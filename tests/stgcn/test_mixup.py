import pytest
import torch

from stgcn.mixup import Mixture


@pytest.mark.parametrize("strength", [0, -1])
def test_a_strength_that_is_not_above_0_is_refused(strength):
    with pytest.raises(ValueError):
        Mixture.draw(4, strength)


@pytest.mark.parametrize("strength", [0.05, 0.4, 1])
def test_every_sample_remains_more_itself_than_another(strength):
    inputs, right = torch.randn(64, 3, 8, 5, 1), torch.eye(64)
    mixture = Mixture.draw(64, strength)
    mixed, shares = mixture(inputs), mixture(right)
    assert (shares.argmax(dim=1) == torch.arange(64)).all()
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(64))
    torch.testing.assert_close(mixed, torch.einsum("nm,mctvp->nctvp", shares, inputs))


@pytest.mark.parametrize("strength", [0.4, 1])  # far below, half of all shares are 1 but for rounding
def test_every_sample_has_a_share_of_its_own(strength):
    assert len(Mixture.draw(64, strength).share.unique()) > 56


def test_the_stronger_the_more_is_mixed():
    kept = [Mixture.draw(2000, strength).share.mean() for strength in (0.05, 0.4, 1, 4)]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] > 0.95 and kept[-1] < 0.7


def test_the_same_seed_mixes_alike():
    def draw():
        torch.manual_seed(3)
        return Mixture.draw(8, 0.4)(torch.eye(8))

    torch.testing.assert_close(draw(), draw(), rtol=0, atol=0)
