"""What made-up people do (`stgcn.puppets`): actions, and exercises without a name, as key poses.

Each action differs every time within what people do: how deep, how fast, how often, with which arms. All of it is in
words of `KeyPose`: degrees and body heights; times in seconds. Which side is left to `stgcn.augment.mirror`.
"""

from collections.abc import Callable
from functools import partial

from numpy.random import Generator

from stgcn import hands
from stgcn.puppets import KeyPose, Keys

SETTLE_S = 0.15  # between the end of a movement and its beginning when it is done again
SEATED = 0.3  # probability that what hands do is done by somebody who sits
LIFTED = "arms up", "arms ahead", "arms aside"
OTHER = "other"  # what has no name
Action = Callable[[Generator, KeyPose], Keys]  # of somebody who stands so at first


def act(rng: Generator, label: str) -> Keys:
    """Key poses of one of ACTIONS. ValueError: another."""
    if label not in ACTIONS:
        raise ValueError(f"nobody has thought of key poses for {label!r}; for {', '.join(ACTIONS)} only")
    return ACTIONS[label](rng, _standing(rng))


def _standing(rng: Generator) -> KeyPose:
    spread = rng.uniform(0, 12)
    legs = ((spread, rng.uniform(0, 30)), (spread * rng.uniform(0, 1), rng.uniform(-30, 0)))
    pose = KeyPose(lean=rng.uniform(-3, 8)).but(legs=legs)
    if rng.random() < 0.2:  # each arm as it likes
        return pose.but(left_arm=_arm_at_rest(rng), right_arm=_arm_at_rest(rng))
    return pose.but(arms=_arm_at_rest(rng))


def _arm_at_rest(rng: Generator):
    kind = rng.choice(["hanging", "on the hip", "folded", "holding"], p=[0.6, 0.12, 0.12, 0.16])
    if kind == "hanging":
        return (rng.uniform(3, 18), rng.uniform(-20, 50)), (rng.uniform(5, 30), rng.uniform(50, 120))
    if kind == "on the hip":
        return (rng.uniform(30, 50), rng.uniform(-40, 0)), (rng.uniform(40, 70), rng.uniform(140, 190))
    if kind == "folded":
        return (rng.uniform(10, 30), rng.uniform(30, 80)), (rng.uniform(75, 105), rng.uniform(130, 170))
    return (rng.uniform(5, 25), rng.uniform(0, 90)), (rng.uniform(60, 115), rng.uniform(80, 140))


def _arms(rng: Generator, kind: str):
    """Straight arms: a bone's direction, twice."""
    lift, ahead = {
        "arms up": (rng.uniform(140, 178), rng.uniform(0, 90)),
        "arms ahead": (rng.uniform(65, 105), rng.uniform(70, 105)),
        "arms aside": (rng.uniform(65, 105), rng.uniform(-15, 40)),
        "arms back": (rng.uniform(20, 60), rng.uniform(-100, -50)),
    }[kind]
    return (lift, ahead), (lift + rng.uniform(-10, 10), ahead + rng.uniform(-10, 30))


def _bent_legs(rng: Generator, thigh: float, apart: float = 0.0, shin: float = 0.35):
    """Both thighs lifted by `thigh` degrees to the front, the shins going back by a share of that."""
    return (thigh, 90 - apart), (max(thigh * shin + rng.uniform(-8, 8), 0), -90 + apart)


def _times(rng: Generator, keys: Keys, least: int, most: int) -> list:
    """The same again, so many times."""
    again = [(seconds or SETTLE_S, pose) for seconds, pose in keys]
    return [*keys, *again * (rng.integers(least, most + 1) - 1)]


def _seated(rng: Generator, standing: KeyPose) -> KeyPose:
    legs = (rng.uniform(72, 96), rng.uniform(65, 95)), (rng.uniform(0, 25), rng.uniform(-110, 110))
    pose = standing.but(lean=rng.uniform(-12, 20), legs=legs)
    if rng.random() < 0.6:  # hands on the thighs, or on a table
        pose = pose.but(arms=((rng.uniform(10, 45), rng.uniform(60, 95)), (rng.uniform(45, 90), rng.uniform(80, 120))))
    return pose


def _halfway_down(rng: Generator, standing: KeyPose) -> KeyPose:
    pose = standing.but(lean=rng.uniform(20, 55), legs=_bent_legs(rng, rng.uniform(35, 60), rng.uniform(0, 20)))
    if rng.random() < 0.5:  # hands reach for the knees, or for a chair
        upper_arm, forearm = (rng.uniform(15, 50), rng.choice([-70, 80])), (rng.uniform(15, 60), rng.choice([-60, 90]))
        pose = pose.but(arms=(upper_arm, forearm))
    return pose


def _sit_down(rng: Generator, standing: KeyPose) -> Keys:
    s = rng.uniform(0.35, 0.85)
    return [(0, standing), (s, _halfway_down(rng, standing)), (s * rng.uniform(0.6, 1.2), _seated(rng, standing))]


def _stand_up(rng: Generator, standing: KeyPose) -> Keys:
    s = rng.uniform(0.3, 0.7)
    return [(0, _seated(rng, standing)), (s, _halfway_down(rng, standing)), (s * rng.uniform(0.7, 1.3), standing)]


def _squat(rng: Generator, standing: KeyPose) -> Keys:
    down_s, depth, apart = rng.uniform(0.45, 1.1), rng.uniform(65, 115), rng.uniform(5, 50)
    low = standing.but(lean=rng.uniform(10, 45), legs=_bent_legs(rng, depth, apart, 0.3))
    if rng.random() < 0.6:
        low = low.but(arms=_arms(rng, str(rng.choice(["arms ahead", "arms up", "arms aside"], p=[0.7, 0.15, 0.15]))))
    if rng.random() < 0.3:  # and stays down
        return [(0, standing), (down_s, low), (rng.uniform(0.5, 2.0), low)]
    pause_s = rng.uniform(0.05, 0.5)
    return _times(rng, [(0, standing), (down_s, low), (pause_s, low), (down_s * rng.uniform(0.7, 1.2), standing)], 1, 3)


def _jump(rng: Generator, standing: KeyPose) -> Keys:
    if rng.random() < 0.35:  # small hops, again and again
        s, height = rng.uniform(0.12, 0.2), rng.uniform(0.03, 0.1)
        soft = standing.but(legs=_bent_legs(rng, rng.uniform(8, 25), 0, 0.7))
        return _times(rng, [(0, soft), (s, standing.but(air=height)), (s, soft)], 3, 6)
    height, deep = rng.uniform(0.08, 0.3), rng.uniform(30, 75)
    crouch = standing.but(lean=rng.uniform(15, 50), legs=_bent_legs(rng, deep, rng.uniform(0, 15), 0.5))
    stretched = standing.but(lean=rng.uniform(-5, 10), legs=((8, 0), (8, -30)))
    if rng.random() < 0.75:  # with a swing of the arms
        crouch = crouch.but(arms=_arms(rng, "arms back"))
        stretched = stretched.but(arms=_arms(rng, str(rng.choice(["arms up", "arms ahead"]))))
    top = stretched.but(legs=_bent_legs(rng, rng.uniform(5, 80), rng.uniform(0, 30), 0.7), air=height)
    landed = standing.but(lean=rng.uniform(10, 35), legs=_bent_legs(rng, rng.uniform(20, 60), 5, 0.5))
    flight_s = 0.2 + 0.7 * height  # half of it
    keys = [(0, standing), (rng.uniform(0.25, 0.5), crouch), (rng.uniform(0.12, 0.2), stretched), (flight_s, top),
            (flight_s, landed), (rng.uniform(0.2, 0.4), standing)]  # fmt: skip
    return _times(rng, keys, 1, 2)


def _steps(rng: Generator, standing: KeyPose, step_s: float, reach: float, heel: float, swing, air: float) -> Keys:
    """Walking or running. reach: of a thigh; heel: how far the shin behind is lifted; swing: an arm's bones, ahead and
    behind."""
    ahead, behind = swing
    leading, trailing = ((reach, 90), (reach * 0.2, 90)), ((reach * 0.8, -90), (reach * 0.8 + heel * 0.6, -90))
    passing, straight = ((reach * 0.7, 90), (heel, -90)), ((4, 0), (4, 0))
    keys = []
    for left in [True, False] * int(rng.integers(2, 5)):
        one, other = ("left", "right") if left else ("right", "left")
        keys += [
            (step_s / 2, standing.but(**{f"{one}_leg": leading, f"{other}_leg": trailing, f"{one}_arm": behind,
                                         f"{other}_arm": ahead}, air=air)),
            (step_s / 2, standing.but(**{f"{one}_leg": straight, f"{other}_leg": passing})),
        ]  # fmt: skip
    return keys


def _walk(rng: Generator, standing: KeyPose) -> Keys:
    reach = rng.uniform(15, 30)
    swing = rng.uniform(5, 30)
    arms = ((swing, 85), (swing + rng.uniform(5, 30), 85)), ((swing, -85), (swing * 0.5, -80))
    if rng.random() < 0.3:  # hands in the pockets, or something in them
        arms = (standing.limbs["left_arm"],) * 2
    leaning = standing.but(lean=rng.uniform(0, 8))
    return _steps(rng, leaning, rng.uniform(0.42, 0.7), reach, rng.uniform(25, 55), arms, 0)


def _run(rng: Generator, standing: KeyPose) -> Keys:
    swing = rng.uniform(20, 60)
    arms = ((swing, 85), (swing + 90, 95)), ((swing, -80), (rng.uniform(30, 60), 90))
    return _steps(rng, standing.but(lean=rng.uniform(4, 22)), rng.uniform(0.26, 0.38), rng.uniform(30, 60),
                  rng.uniform(70, 110), arms, rng.uniform(0.02, 0.06))  # fmt: skip


def _pick_up(rng: Generator, standing: KeyPose) -> Keys:
    down_s = rng.uniform(0.4, 0.9)
    lean = rng.uniform(50, 100)
    thigh = rng.uniform(5, 40) if lean > 70 else rng.uniform(40, 100)
    low = standing.but(lean=lean, legs=_bent_legs(rng, thigh, rng.uniform(0, 25), 0.4))
    reach = (rng.uniform(0, 30), 90), (rng.uniform(0, 30), 90)
    carried = (rng.uniform(5, 30), rng.uniform(40, 90)), (rng.uniform(40, 110), rng.uniform(80, 140))
    arms = "arms" if rng.random() < 0.5 else "left_arm"
    return [(0, standing), (down_s, low.but(**{arms: reach})), (rng.uniform(0.1, 0.4), low.but(**{arms: reach})),
            (down_s * rng.uniform(0.7, 1.2), standing.but(**{arms: carried}))]  # fmt: skip


def _throw(rng: Generator, standing: KeyPose) -> Keys:
    step = rng.uniform(0, 35)
    strode = dict(right_leg=((step, 90), (step * 0.3, 90)), left_leg=((step * 0.7, -90), (step, -90)))
    if rng.random() < 0.2:  # underarm
        back, on = _arms(rng, "arms back"), _arms(rng, "arms ahead")
        wound, let_go = standing.but(lean=15, left_arm=back), standing.but(lean=25, left_arm=on, **strode)
    else:
        lift = rng.uniform(80, 125)
        wound = standing.but(lean=rng.uniform(-15, 0), turn=rng.uniform(0, 40),
                             left_arm=((lift, rng.uniform(-45, 10)), (rng.uniform(120, 175), rng.uniform(-90, -10))))
        let_go = standing.but(lean=rng.uniform(5, 30), turn=-rng.uniform(0, 30), **strode,
                              left_arm=((lift + 15, rng.uniform(60, 100)), (rng.uniform(90, 150), 90)))  # fmt: skip
    bowed = let_go.but(lean=let_go.lean + rng.uniform(5, 25))
    upper_arm, forearm = (rng.uniform(20, 60), rng.uniform(80, 140)), (rng.uniform(20, 70), rng.uniform(90, 150))
    after = bowed.but(left_arm=(upper_arm, forearm))
    return [(0, standing), (rng.uniform(0.25, 0.6), wound), (rng.uniform(0.12, 0.25), let_go),
            (rng.uniform(0.12, 0.25), after), (rng.uniform(0.3, 0.6), standing)]  # fmt: skip


def _kick(rng: Generator, standing: KeyPose) -> Keys:
    height = rng.uniform(30, 100)
    balance = _arms(rng, "arms aside") if rng.random() < 0.5 else standing.limbs["right_arm"]
    back = rng.uniform(10, 45)
    drawn = standing.but(left_leg=((back, -90), (back + rng.uniform(30, 70), -90)), right_leg=((5, 90), (5, -90)),
                         lean=rng.uniform(0, 15), right_arm=balance)
    hit = standing.but(left_leg=((height, rng.uniform(60, 110)), (height + rng.uniform(-25, 5), rng.uniform(60, 110))),
                       lean=rng.uniform(-25, 5), right_arm=balance)
    return [(0, standing), (rng.uniform(0.2, 0.45), drawn), (rng.uniform(0.12, 0.25), hit),
            (rng.uniform(0.25, 0.5), standing)]  # fmt: skip


def _push(rng: Generator, standing: KeyPose) -> Keys:
    drawn = standing.but(lean=rng.uniform(0, 10), arms=((rng.uniform(10, 45), rng.uniform(-60, 40)),
                                                        (rng.uniform(80, 130), rng.uniform(85, 120))))  # fmt: skip
    arms = (rng.uniform(60, 100), rng.uniform(75, 105)), (rng.uniform(75, 105), rng.uniform(80, 110))
    step, lean = rng.uniform(0, 35), rng.uniform(5, 45)
    pushing = standing.but(lean=lean, arms=arms, left_leg=((step, 90), (step * 0.3, -90)),
                           right_leg=((step, -90), (step + 10, -90)))  # fmt: skip
    if rng.random() < 0.5:  # something heavy, step by step
        return _steps(rng, pushing.but(legs=((5, 0), (5, 0))), rng.uniform(0.45, 0.9), rng.uniform(15, 35),
                      rng.uniform(20, 50), (arms, arms), 0)  # fmt: skip
    return [(0, standing), (rng.uniform(0.2, 0.5), drawn), (rng.uniform(0.15, 0.4), pushing),
            (rng.uniform(0.1, 0.8), pushing), (rng.uniform(0.25, 0.5), standing)]  # fmt: skip


def _nameless(rng: Generator, standing: KeyPose) -> Keys:
    """An exercise, a stretch, a turn, or something that hands do."""
    s = rng.uniform(0.25, 0.7)
    up, spread = _arms(rng, "arms up"), ((rng.uniform(15, 35), 0),) * 2
    kind = rng.choice(["jack", "raise", "lunge", "bend", "turn", "knee", "sidestep", "gesture", "busy", "busy"])
    if kind == "jack":
        apart = standing.but(arms=up, legs=spread)
        closed = standing.but(arms=((8, 0), (8, 0)), legs=((3, 0), (3, 0)))
        return _times(rng, [(0, closed), (s, apart), (s, closed)], 2, 4)
    if kind == "raise":
        raised = standing.but(**{str(rng.choice(["arms", "left_arm"])): _arms(rng, str(rng.choice(LIFTED)))})
        return _times(rng, [(0, standing), (s, raised), (rng.uniform(0.1, 1.0), raised), (s, standing)], 1, 2)
    if kind == "lunge":
        deep = rng.uniform(45, 90)
        low = standing.but(left_leg=((deep, 90), (5, -90)), right_leg=((20, -90), (deep, -90)))
        return _times(rng, [(0, standing), (s + 0.2, low), (s, standing)], 1, 2)
    if kind == "bend":
        bent = standing.but(aside=rng.uniform(15, 45), right_arm=up) if rng.random() < 0.5 else \
            standing.but(lean=rng.uniform(-25, -8), arms=up)  # fmt: skip
        return _times(rng, [(0, standing), (s + 0.2, bent), (s + 0.2, standing)], 1, 2)
    if kind == "turn":
        return [(0, standing), (s, standing.but(turn=rng.uniform(40, 90), left_leg=((15, 0), (10, -90)))),
                (s, standing.but(turn=rng.uniform(90, 180)))]  # fmt: skip
    if kind == "knee":
        lifted = standing.but(left_leg=((rng.uniform(50, 100), 90), (rng.uniform(0, 30), -90)))
        return _times(rng, [(0, standing), (s, lifted), (s, standing)], 1, 3)
    if kind == "sidestep":
        return [(0, standing), (s, standing.but(left_leg=((rng.uniform(15, 35), 0), (15, 0)))),
                (s, standing)]  # fmt: skip
    return _by_hand(rng, standing, hands.busy if kind == "busy" else hands.gesture)


def _by_hand(rng: Generator, standing: KeyPose, what: Action) -> Keys:
    return what(rng, _seated(rng, standing) if rng.random() < SEATED else standing)


ACTIONS: dict[str, Action] = {
    "wave": partial(_by_hand, what=hands.wave), "clap": partial(_by_hand, what=hands.clap), "sit down": _sit_down,
    "stand up": _stand_up, "walk": _walk, "run": _run, "jump": _jump, "squat": _squat, "pick up": _pick_up,
    "throw": _throw, "kick": _kick, "push": _push, OTHER: _nameless,
}  # fmt: skip
