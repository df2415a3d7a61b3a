"""The ACL rules of ``docs/guides/redis.md``, taken from there: with them everything works, and nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import redis

from dramatiq_baton import BatonMiddleware, ConfigurationError, StepState, WorkflowRun, WorkflowState, get_run
from dramatiq_baton.store import catalogue
from dramatiq_baton.store.store import Store
from tests.support.acl import RULES
from tests.support.llm_actors import declare
from tests.support.llm_provider import Provider, answer, error
from tests.support.nodes import Node
from tests.support.own import leaving_nothing
from tests.support.quorum import add_with_quorum
from tests.support.terminal import piped
from tests.support.world import World

#: What servers older than 7.2 don't have, so that it isn't in the rules.
SINCE_7_2 = ("client|setinfo", "client")
#: What is used only if the URL asks for it (another database, a name), or the server is asked for its health; and what
#: the rescue does but now and then.
NOT_ALWAYS = {"select", "client|setname", "ping", "zrandmember"}
NOT_ALLOWED = "(?i)permission|can't (run|access)|not allowed|ACL failure"


class Guarded(World):
    """A world whose worker and submitter are users with the rights that the guide lists.

    Parameters:
      node: The server; what the actors note is noted by a user who may do everything.
      kind: Which broker.
    """

    def __init__(self, node: Node, kind: str) -> None:
        self.node = node
        super().__init__(
            node.url,
            BATON_TEST_BROKER=kind,
            BATON_TEST_BROKER_NAMESPACE="dramatiq",
            BATON_TEST_HEARTBEAT="1000",  # and Dramatiq looks for dead workers at each of its commands
            **self.as_user("submitter"),
        )

    def _new_namespace(self) -> str:
        return "baton"

    def url_of(self, user: str) -> str:
        return f"redis://{user}:{user.upper()}-PASSWORD@127.0.0.1:{self.node.port}/0"

    def as_user(self, user: str) -> dict[str, str]:
        """The environment of a process that is that user."""
        return {"BATON_TEST_STATE_URL": self.url_of(user), "BATON_TEST_BROKER_URL": self.url_of(user)}

    def command_line(self, user: str, *args: str) -> str:
        """What a command prints when it is run by a user; it must go well."""
        ended = piped("--url", self.url_of(user), *args)
        assert (ended.stderr, ended.returncode) == ("", 0), args
        return ended.stdout

    def close(self) -> None:
        super().close()
        for key in list(self.redis.scan_iter("dramatiq:*")):
            self.redis.delete(key)


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    node = Node()
    with node.client() as client:
        for user, rules in RULES.items():
            client.execute_command("ACL", "SETUSER", user, *rules)
    yield node
    node.close()


@pytest.fixture(params=["fast", "redis"])
def guarded(request: pytest.FixtureRequest, node: Node) -> Iterator[Guarded]:
    with leaving_nothing(Guarded(node, request.param)) as world:
        assert isinstance(world, Guarded)
        yield world


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    provider.rate = 1_000
    provider.script("refused at first", error(429), answer("an answer"))
    yield provider
    provider.close()


def of_every_kind(world: World, provider: Provider) -> WorkflowRun:
    actors = declare(world.broker)
    flow = world.flow(ignore_discarded=True, ignore_cancelled=True)
    root = flow.add("root", world.act(["value", "page"]))
    parts = [flow.add(f"part{i}", world.act(inputs=[i, root])) for i in range(250)]
    flow.add("retried", world.act(["fail", "boom"], ["attempt"]), deps=root)
    flow.add("snoozed", world.act(["snooze", 50], ["attempt"]), deps=root)
    flow.add("discarded", world.act(["discard", "no such page"], ["run"]), deps=root)
    flow.add("griever", world.act(["run"]), deps="discarded", ignore_discarded=False)
    flow.add("paid", world.act(["once", ["a", "b"], ["value", "paid"]]), deps=root, delay=50)
    flow.add("asked", actors.ask_in_turn.message(provider.url, "refused at first"), deps=root)
    flow.add("with openai", actors.ask_with_openai.message(provider.url, "a question"), deps=root)
    add_with_quorum(flow, "end", world.act(inputs=parts), deps="paid", quorum=1)
    return world.run(flow)


def do_everything(world: Guarded, provider: Provider) -> None:
    """Have workers, submitters and watchers do whatever they can."""
    worker = {"module": "tests.support.llm_worker", "env": world.as_user("worker")}
    run = of_every_kind(world, provider)
    gone = world.flow()
    gone.add("a", world.act(), delay=500)
    world.redis.delete(*world.dump(world.run(gone).id))
    deadly = world.flow()
    deadly.add("deadly", world.act(["die when", "the death"], ["run"]))
    dead = world.run(deadly)
    with world.worker_running(**worker) as first:
        assert run.wait(timeout=60_000).failed_steps == ("discarded",)
        world.wait_for_waiting("the death")
        world.actors.let_go("the death")
        first.wait_ended()
    with world.worker_running(**worker) as second:
        dead.wait(timeout=60_000)
        run.retry()
        assert run.wait(timeout=60_000).state is WorkflowState.COMPLETED
        waiting = world.flow()
        waiting.add("a", world.act(["until cancelled", "the cancel"]))
        waiting.add("b", world.act(), deps="a")
        cancelled = world.run(waiting)
        cancelled.cancel("not needed")
        assert cancelled.wait(timeout=30_000).state is WorkflowState.CANCELLED
        world.actors.let_go("the cancel")
        assert asyncio.run(_asynchronous(world)) == "page"
        assert run.status().steps["griever"].state is StepState.COMPLETED
        assert len(run.results()) == len(run.status().steps)
        assert "CannotStart" not in second.log
        assert "NOPERM" not in second.log
        assert "permission" not in second.log

    for user in ("watcher", "submitter"):
        assert run.id in world.command_line(user, "list")
        assert "part249" in world.command_line(user, "show", run.id, "--json")
        assert "with openai" in world.command_line(user, "graph", run.id)
        watched = world.command_line(user, "watch", run.id, "--since", "0", "--exit-on-finish")
        assert "workflow_finished" in watched
    assert "nothing to cancel" in world.command_line("submitter", "cancel", run.id)
    assert "4 workflows" in world.command_line("submitter", "prune", "--older-than", "0s")
    assert list(catalogue.entries(run._runtime.store)) == []


async def _asynchronous(world: World) -> str:
    flow = world.flow()
    first = flow.add("a", world.act(["value", "page"]))
    flow.add("b", world.act(inputs=first))
    run = await flow.run_async(broker=world.broker)
    await run.wait_async(timeout=30_000)
    assert [event.event async for event in run.events_async()][-1] == "workflow_finished"
    assert (await run.status_async()).state is WorkflowState.COMPLETED
    page: str = await run.result_async("b")
    return page


def denied(node: Node) -> set[tuple[str, str]]:
    """Which user was refused what."""
    with node.client() as client:
        return {
            (entry["username"], entry["object"])
            for entry in client.acl_log()
            if entry["object"] not in SINCE_7_2
        }


def used(node: Node) -> set[str]:
    """The commands that were carried out."""
    with node.client() as client:
        return {name.removeprefix("cmdstat_") for name in client.info("commandstats")}


def test_everything_works_with_the_rights_of_the_guide(guarded: Guarded, provider: Provider) -> None:
    do_everything(guarded, provider)
    assert denied(guarded.node) == set()


def test_no_right_of_the_guide_is_superfluous(node: Node, provider: Provider) -> None:
    with node.client() as client:
        client.config_resetstat()
        client.script_flush()
    for kind in ("fast", "redis"):
        with leaving_nothing(Guarded(node, kind)) as world:
            assert isinstance(world, Guarded)
            do_everything(world, provider)
    listed = {rule[1:] for rules in RULES.values() for rule in rules if rule.startswith("+")}
    carried_out = used(node)
    superfluous = {
        right
        for right in listed - NOT_ALWAYS
        if right not in carried_out and right.partition("|")[0] not in carried_out  # as 6.2 counts
    }
    assert superfluous == set()


def test_a_watcher_changes_nothing(guarded: Guarded) -> None:
    flow = guarded.flow()
    flow.add("a", guarded.act(), delay=3_600_000)
    run = guarded.run(flow)
    before = guarded.dump(run.id)
    for command in (("cancel", run.id), ("retry", run.id), ("prune", "--older-than", "0s")):
        ended = piped("--url", guarded.url_of("watcher"), *command)
        assert "Traceback" not in ended.stderr
        assert ended.returncode == 2 or ended.stdout.startswith("removed 0 workflows")
    with redis.Redis.from_url(guarded.url_of("watcher")) as watcher:
        for write in (
            ("SET", "baton:x", "1"),
            ("DEL", f"baton:workflow:{{{run.id}}}"),
            ("XADD", "baton:workflow:all:events", "*", "event", "forged"),
            ("EVAL", "return redis.call('DEL', KEYS[1])", 1, f"baton:workflow:{{{run.id}}}"),
            ("FLUSHALL",),
            ("CONFIG", "GET", "*"),
        ):
            with pytest.raises(redis.ResponseError, match=NOT_ALLOWED):
                watcher.execute_command(*write)
    assert guarded.dump(run.id) == before
    run.cancel()


@pytest.mark.parametrize("user", RULES)
def test_nobody_touches_keys_of_others(guarded: Guarded, user: str) -> None:
    with redis.Redis.from_url(guarded.url_of(user)) as client:
        for command in (
            ("HGET", "other:x", "a"),
            ("HGET", "batons", "a"),
            ("EVAL", "return redis.call('HGET', KEYS[1], 'a')", 1, "other:x"),
            ("EVAL", "return redis.call('HGET', 'other:x', 'a')", 0),
            ("FLUSHALL",),
            ("CONFIG", "GET", "*"),
        ):
            with pytest.raises(redis.ResponseError, match=NOT_ALLOWED):
                client.execute_command(*command)


@pytest.mark.parametrize("command", ["evalsha", "xread", "hset"])
def test_a_right_that_is_missing_is_a_clear_error(guarded: Guarded, command: str) -> None:
    with guarded.node.client() as client:
        rules = [rule for rule in RULES["submitter"] if rule != f"+{command}"]
        client.execute_command("ACL", "SETUSER", "submitter", "reset", *rules)
    try:
        flow = guarded.flow()
        flow.add("a", guarded.act(), delay=3_600_000)

        def run_and_wait() -> None:
            guarded.run(flow).wait(timeout=100)

        async def run_and_wait_async() -> None:
            await (await flow.run_async(broker=guarded.broker)).wait_async(timeout=100)

        for call in (run_and_wait, lambda: asyncio.run(run_and_wait_async())):
            with pytest.raises(
                ConfigurationError, match=r"forbids this user .*; give it the ACL rules"
            ) as caught:
                call()
            assert "PASSWORD" not in str(caught.value)
    finally:
        with guarded.node.client() as client:
            client.execute_command("ACL", "SETUSER", "submitter", "reset", *RULES["submitter"])
    for entry in list(catalogue.entries(get_run_store(guarded))):
        get_run(entry.id, guarded.broker).cancel()


def get_run_store(world: Guarded) -> Store:
    middleware = next(each for each in world.broker.middleware if isinstance(each, BatonMiddleware))
    return middleware.runtime(world.broker).store
