"""Kept values: computed once for all who ask, for a time that follows their cost."""

import threading

import pytest

from kgce.api.held import Held


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Work:
    """Counts its calls; each takes `cost_s` of the clock."""

    def __init__(self, clock: Clock, cost_s: float) -> None:
        self.clock, self.cost_s, self.calls = clock, cost_s, 0

    def __call__(self, key: str) -> str:
        self.calls += 1
        self.clock.now_s += self.cost_s
        return f"{key}{self.calls}"


@pytest.mark.parametrize(
    ("cost_s", "kept_s"),
    [
        pytest.param(0.001, 2.0, id="cheap: 2 s"),
        pytest.param(0.5, 10.0, id="twenty times the cost"),
        pytest.param(30.0, 60.0, id="dear: a minute"),
    ],
)
def test_a_value_is_kept_in_proportion_to_its_cost(cost_s: float, kept_s: float):
    clock = Clock()
    work = Work(clock, cost_s)
    held = Held(work, clock=clock)
    held.get("a")
    clock.now_s += kept_s - 0.001
    assert held.get_with_age("a") == ("a1", pytest.approx(kept_s - 0.001))
    clock.now_s += 0.001
    assert held.get("a") == "a2"


def test_an_error_is_not_kept():
    answers = iter([ValueError("no"), "yes"])

    def compute(_: None) -> str:
        answer = next(answers)
        if isinstance(answer, ValueError):
            raise answer
        return answer

    held = Held(compute)
    with pytest.raises(ValueError, match="no"):
        held.get(None)
    assert held.get(None) == "yes"


def test_beyond_the_capacity_the_least_asked_is_forgotten():
    clock = Clock()
    work = Work(clock, 0.0)
    held = Held(work, clock=clock, capacity=2)
    for key in ("a", "b", "a", "c"):
        held.get(key)
    assert (held.get("a"), held.get("c"), work.calls) == ("a1", "c3", 3)
    assert held.get("b") == "b4"


def test_many_who_ask_at_once_cause_one_computation():
    entered, go = threading.Event(), threading.Event()
    calls = []

    def compute(key: str) -> str:
        calls.append(key)
        entered.set()
        assert go.wait(10)
        return "done"

    held = Held(compute)
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(held.get("a"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert entered.wait(10)
    go.set()
    for thread in threads:
        thread.join(10)
    assert (answers, calls) == (["done"] * 8, ["a"])


def test_while_it_is_recomputed_the_old_value_answers():
    clock = Clock()
    entered, go = threading.Event(), threading.Event()
    go.set()
    values = iter(["old", "new"])

    def compute(_: str) -> str:
        entered.set()
        assert go.wait(10)
        return next(values)

    held = Held(compute, clock=clock)
    held.get("a")
    clock.now_s += 3.0
    go.clear()
    entered.clear()
    slow = threading.Thread(target=held.get, args=("a",))
    slow.start()
    assert entered.wait(10)
    assert held.get("a") == "old"
    go.set()
    slow.join(10)
    assert held.get("a") == "new"
