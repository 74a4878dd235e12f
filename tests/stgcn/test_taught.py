from dataclasses import replace

import pytest
import torch

from stgcn.checkpoint import Checkpoint, CheckpointError, load, save
from stgcn.model import STGCN
from stgcn.taught import ENOUGH, Taught

KNOWN = ("wave", "walk", "other")
CLASSES = ("dab", "wave", "other")  # walk has no name any more
DAB, PLACES = [0], [1, 2, 2]


@pytest.fixture
def taught():
    torch.manual_seed(0)
    before, learned = (STGCN(len(names), width=4, temporal_kernel=3).eval() for names in (KNOWN, CLASSES))
    return Taught(before, learned, taught=DAB, places=PLACES, temperature=0.5)


@pytest.fixture
def inputs():
    return torch.randn(5, 3, 20, 17, 1, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def scores(network, inputs, temperature=0.5):
    return (network(inputs) / temperature).softmax(dim=1)


@pytest.mark.parametrize(("options", "words"), [
    ({"taught": [3]}, "not of 3 classes"), ({"taught": [-1]}, "not of 3 classes"),
    ({"places": [1, 2]}, "not of 3 classes"), ({"places": [1, 2, 9]}, "not of 3 classes"),
    ({"temperature": 0.0}, "temperature is above 0"),
])  # fmt: skip
def test_what_does_not_fit_together_is_refused(taught, options, words):
    with pytest.raises(ValueError, match=words):
        Taught(taught.before, taught.learned, **dict(taught=DAB, places=PLACES, temperature=0.5) | options)


def test_other_skeletons_are_refused(taught):
    with pytest.raises(ValueError, match="expected skeletons of shape"):
        taught(torch.zeros(1, 3, 20, 15, 1))


def test_what_was_never_compared_goes_on_as_before(taught, inputs):
    known = scores(taught.before, inputs)
    found = scores(taught, inputs)
    assert torch.allclose(found[:, 1], known[:, 0]) and torch.allclose(found[:, 2], known[:, 1:].sum(dim=1))
    assert (found[:, 0] < 1e-6).all()


@pytest.mark.parametrize("alike", [[1.0, 1.0, 1.0], [0.0, 0.5, 1.0], [0.3, 0.0, 0.0]])
def test_an_action_counts_as_far_as_the_other_network_allows_and_leaves_the_rest_as_it_is(taught, inputs, alike):
    taught.alike.copy_(torch.tensor([alike]))
    known, learned, found = (scores(network, inputs) for network in (taught.before, taught.learned, taught))
    assert torch.allclose(found.sum(dim=1), torch.ones(5), atol=1e-5)
    assert torch.allclose(found[:, 0], learned[:, 0] * (known @ torch.tensor(alike)), atol=1e-6)
    assert torch.allclose(found[:, 1] / found[:, 2], known[:, 0] / known[:, 1:].sum(dim=1), rtol=1e-3)


def test_what_means_nothing_speaks_for_an_action_that_was_sometimes_taken_for_it(taught, inputs):
    taught.compare(inputs, torch.zeros(5), nothing=[0, 1, 2])
    means = scores(taught.before, inputs).mean(dim=0)
    assert torch.allclose(taught.alike[0], (means / ENOUGH).clamp(max=1), atol=1e-6)
    assert taught.alike.max() == 1, "three classes cannot all be below a quarter"


@pytest.mark.parametrize(("wave", "kept"), [(0.45, 0.0), (0.55, 1.0)])
def test_an_action_that_is_announced_speaks_only_for_one_that_was_mostly_taken_for_it(taught, inputs, wave, kept):
    others = (1 - wave) / 2
    with torch.no_grad():  # the same scores, whoever is seen
        taught.before.classifier.weight.zero_()
        taught.before.classifier.bias.copy_(0.5 * torch.tensor([wave, others, others]).log())
    taught.compare(inputs, torch.zeros(5), nothing=[2])
    assert torch.allclose(taught.alike, torch.tensor([[kept, 0.0, min(others / ENOUGH, 1)]]), atol=1e-5)


def test_the_order_of_clips_does_not_matter(taught, inputs):
    taught.compare(inputs, torch.zeros(5), nothing=[1, 2])
    before = taught.alike.clone()
    taught.compare(inputs.flip(0), torch.zeros(5), nothing=[1, 2])
    assert torch.allclose(taught.alike, before, atol=1e-6)


def test_only_its_own_clips_count_for_an_action(taught, inputs):
    taught.compare(inputs[:2], torch.zeros(2), nothing=[1, 2])
    before = taught.alike.clone()
    taught.compare(inputs, torch.tensor([0, 0, 1, 2, 1]), nothing=[1, 2])
    assert torch.allclose(taught.alike, before, atol=1e-6)


def test_a_checkpoint_holds_both(taught, inputs, tmp_path):
    taught.compare(inputs, torch.zeros(5), nothing=[2])
    save(tmp_path / "taught.pth", Checkpoint(taught, None, CLASSES), half=False)
    again = load(tmp_path / "taught.pth")
    with torch.no_grad():
        assert torch.equal(again.model(inputs), taught(inputs))
    with pytest.raises(CheckpointError, match="3 outputs, but there are 2 class names"):
        replace(again, classes=CLASSES[:2])
