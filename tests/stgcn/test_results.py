import numpy as np
import pytest
import torch
from torch import nn

from stgcn.data import Clip, SkeletonDataset
from stgcn.preprocess import Preprocess
from stgcn.results import measure, predict, results

CLASSES = ("a", "b", "c", "d", "e", "f", "g")


def scores_of(*rankings):
    """(N, 7) scores of clips whose classes are ranked so, best first: "cab" ranks the others after these."""
    scores = torch.zeros(len(rankings), len(CLASSES))
    for row, ranking in zip(scores, rankings):
        order = [CLASSES.index(name) for name in dict.fromkeys(ranking + "abcdefg")]
        row[order] = torch.arange(len(CLASSES), 0.0, -1.0)
    return scores


@pytest.mark.parametrize("label", [-8, 7])
def test_a_label_out_of_range_is_refused(label):
    with pytest.raises(IndexError):
        results(scores_of("a"), torch.tensor([label]), CLASSES)


def test_results_counted_by_hand():
    # of class a: right, right, wrong but among the best five; of class g: not even that
    found = results(scores_of("a", "a", "ba", "a"), torch.tensor([0, 0, 0, 6]), CLASSES)
    assert found["clips"] == 4
    assert found["top1"] == 0.5 and found["top5"] == 0.75
    assert found["mean_class"] == pytest.approx((2 / 3 + 0) / 2), "only classes that occur"
    assert found["recall"] == dict.fromkeys(CLASSES) | {"a": 2 / 3, "g": 0.0}
    assert found["precision"] == dict.fromkeys(CLASSES) | {"a": 2 / 3, "b": 0.0}
    assert found["confusion"][0][:2] == [2, 1] and found["confusion"][6][0] == 1


def test_of_few_classes_all_are_among_the_best_five():
    found = results(torch.tensor([[0.9, 0.1]]), torch.tensor([1]), ("a", "b"))
    assert found["top1"] == 0.0 and found["top5"] == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_what_holds_for_any_scores(seed):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(50, len(CLASSES), generator=generator)
    labels = torch.randint(len(CLASSES), (50,), generator=generator)
    found = results(scores, labels, CLASSES)
    confusion = np.array(found["confusion"])
    assert 0 <= found["top1"] <= found["top5"] <= 1
    assert confusion.sum() == found["clips"] == 50
    assert (confusion.sum(axis=1) == np.bincount(labels, minlength=len(CLASSES))).all()
    assert results(3 * scores + 1, labels, CLASSES) == found, "only the order of scores counts"
    perfect = results(torch.eye(len(CLASSES))[labels], labels, CLASSES)
    assert perfect["top1"] == perfect["top5"] == perfect["mean_class"] == 1


class Always(nn.Module):
    """The same logits for every clip."""

    def forward(self, x):
        return torch.tensor([[2.0, 0.0]]).expand(len(x), 2)


def test_a_network_is_asked_about_every_clip_in_order():
    times, keypoints = np.arange(3) / 30, np.ones((3, 17, 3), np.float32)
    labels = [0, 1] * 40 + [1] * 5  # more than a batch
    clips = [Clip(str(i), label, times, keypoints, times[-1]) for i, label in enumerate(labels)]
    data = SkeletonDataset(clips, Preprocess(frames=4), num_classes=2)
    probabilities, found = predict(Always(), data)
    assert found.tolist() == labels
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(len(labels)))
    assert measure(Always(), data, ("a", "b"))["confusion"] == [[40, 0], [45, 0]]
