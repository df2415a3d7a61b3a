"""Contract 2: an actor that raises ``dramatiq.RateLimitExceeded``."""

from __future__ import annotations

from tests.support.world import World


def test_a_step_over_a_rate_limit_is_snoozed_with_jitter_around_snooze_delay(world: World) -> None:
    flow = world.flow()
    for number in range(12):
        flow.add(f"a{number}", world.act(["rate limit"], ["attempt"]))
    run = world.finish(flow)
    assert set(run.results().values()) == {2}
    snoozed = [event for event in run.events() if event.event == "snoozed"]
    assert len(snoozed) == 12
    assert all(event.reason == "rate limit exceeded: too fast" for event in snoozed)
    delays = [event.delay or 0 for event in snoozed]
    assert all(50 <= delay <= 150 for delay in delays)  # snooze_delay=100
    assert len(set(delays)) > 1


def test_a_rate_limit_consumes_no_retry(world: World) -> None:
    flow = world.flow()
    limits = [["rate limit"]] * 3
    flow.add("a", world.act(*limits, ["fail", "one"], ["rate limit"], ["fail", "two"], ["attempt"]))
    run = world.finish(flow)
    assert run.result("a") == 7  # max_retries=2
