"""What a look costs doesn't depend on how many workflows are fine."""

from __future__ import annotations

from tests.support.monitor import Seen, monitoring
from tests.support.rescuing import Rescuing


def _commands(rescuing: Rescuing) -> list[tuple[str, str]]:
    """Every command of one look, those inside scripts as well: whose it is, and what."""
    with monitoring(rescuing.world.url, rescuing.world.namespace) as monitor:
        assert rescuing.look() == []
        return [("lua" if seen.client == "lua" else "client", _name(seen)) for seen in monitor.so_far()]


def _name(seen: Seen) -> str:
    return " ".join(seen.words[: 2 if seen.words[0].upper() == "EVALSHA" else 1]).upper()


def _healthy_workflows(rescuing: Rescuing, count: int) -> None:
    """A third of them executing, a third snoozed, a third queued; all with a step that waits."""
    for number in range(count):
        run = rescuing.run_and_lose(rescuing.flow("a", "b", deps={"b": "a"}))
        match number % 3:
            case 0:
                rescuing.hand.claim(run, "a")
            case 1:
                rescuing.put_off(run, "a", "snoozed", delay=60_000)


def test_a_look_at_300_healthy_workflows_costs_the_same_as_at_none(rescuing: Rescuing) -> None:
    run = rescuing.lab.run(rescuing.flow("a"))
    rescuing.hand.complete(run, "a")  # so that the queue is known
    rescuing.look()  # and the server knows the script
    with_none = _commands(rescuing)
    _healthy_workflows(rescuing, 300)
    assert len(rescuing.indexed()) == 300
    assert _commands(rescuing) == with_none
    assert [whose for whose, _ in with_none].count("client") == 1


def test_a_look_never_scans_keys(rescuing: Rescuing) -> None:
    _healthy_workflows(rescuing, 9)
    assert not {name for _, name in _commands(rescuing)} & {
        "KEYS",
        "SCAN",
        "HSCAN",
        "ZSCAN",
        "SSCAN",
        "HGETALL",
    }


def test_a_look_that_finds_one_lost_step_costs_as_much_however_many_are_fine(rescuing: Rescuing) -> None:
    costs = []
    for healthy in (3, 300):
        _healthy_workflows(rescuing, healthy)
        run = rescuing.run_and_lose(rescuing.flow("lost"))
        index = f"{rescuing.world.namespace}:index:queued:q"
        rescuing.redis.zadd(index, {f"{run.id}\x1flost": 0})
        rescuing.look()  # the server knows the scripts then
        rescuing.redis.zadd(index, {f"{run.id}\x1flost": 0})
        with monitoring(rescuing.world.url, rescuing.world.namespace) as monitor:
            assert rescuing.look() == ["lost"]
            costs.append([_name(seen) for seen in monitor.so_far()])
    assert costs[0] == costs[1]
