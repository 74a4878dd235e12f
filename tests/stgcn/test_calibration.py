"""Temperatures that are found again, and confidence beside accuracy."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from stgcn.calibration import fit_temperature, negative_log_likelihood, reliability


def answers(temperature, count=4000, classes=5):
    """Logits of a network that is surer than it should be by `temperature`, and labels."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (count, classes))
    labels = np.array([rng.choice(classes, p=row) for row in softmax(honest, axis=1)])
    return honest * temperature, labels


@pytest.mark.parametrize(
    ("logits", "labels"),
    [
        (np.zeros((0, 3)), np.zeros(0, int)),
        (np.zeros(3), np.zeros(3, int)),
        (np.zeros((2, 3)), np.zeros(3, int)),
        (np.full((1, 3), np.nan), np.zeros(1, int)),
        (np.zeros((1, 3)), np.array([3])),
        (np.zeros((1, 3)), np.array([-1])),
        (np.zeros((1, 3)), np.array([0.5])),
    ],
)
@pytest.mark.parametrize("function", [fit_temperature, reliability])
def test_what_does_not_fit_together_is_refused(function, logits, labels):
    with pytest.raises(ValueError):
        function(logits, labels)


def test_a_reliability_is_of_probabilities():
    for scores, bins in (([[2.0, -1.0]], 10), ([[0.5, 0.5]], 0)):
        with pytest.raises(ValueError, match="a bin or more and scores in 0..1"):
            reliability(np.array(scores), np.array([0]), bins)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_is_found_from_logits_and_from_their_log_softmax(temperature):
    logits, labels = answers(temperature)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.06)
    assert fit_temperature(log_softmax(logits, axis=1), labels) == pytest.approx(temperature, rel=0.06)


def test_no_other_temperature_is_likelier():
    logits, labels = answers(2.5)
    found = fit_temperature(logits, labels)
    best = negative_log_likelihood(logits, labels, found)
    assert all(negative_log_likelihood(logits, labels, found * factor) > best for factor in (0.5, 0.9, 1.1, 2))


def test_the_temperature_makes_confidence_and_accuracy_agree():
    logits, labels = answers(3.0)
    before = reliability(softmax(logits, axis=1), labels).error
    after = reliability(softmax(logits / fit_temperature(logits, labels), axis=1), labels).error
    assert before > 0.1 and after < 0.03


def test_bins_hold_what_they_say():
    scores = np.array([[0.95, 0.05], [0.93, 0.07], [0.36, 0.64], [1.0, 0.0]])
    found = reliability(scores, np.array([0, 1, 1, 0]))
    assert found.counts.tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 0, 3]
    assert found.confidence[9] == pytest.approx((0.95 + 0.93 + 1) / 3) and found.accuracy[9] == pytest.approx(2 / 3)
    assert found.accuracy[6] == 1 and np.isnan(found.accuracy[0])
    assert found.error == pytest.approx((3 * abs(0.96 - 2 / 3) + 0.36) / 4)


def test_always_sure_and_always_right_is_no_error():
    assert reliability(np.eye(3), np.arange(3)).error == 0
