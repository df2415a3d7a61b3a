"""The rescue, one look at a time, and time that passes when a test says so."""

from __future__ import annotations

from typing import Any

import msgpack

from dramatiq_baton import StepState, Workflow, WorkflowRun
from dramatiq_baton.graph import Graph
from dramatiq_baton.rescue import Rescue
from dramatiq_baton.run import get_run
from dramatiq_baton.store import submission
from dramatiq_baton.store.replies import Spread
from dramatiq_baton.store.store import Address, Store

from .by_hand import ByHand
from .lab import Lab
from .own import MakeLab

#: So long that nothing runs out by itself during a test, in ms.
LEASE_TTL = 60_000
MAX_RESCUES = 2
#: The fields of a step's record, as ``lua/shared/steps.lua`` names them.
FIELDS = (
    *("state", "waiting", "attempt", "token", "holder", "deaths", "seq", "retries"),
    *("started", "finished", "reason", "cause", "callback", "resent", "flags", "void", "run", "spare"),
)


class Rescuing:
    """A lab whose steps a test takes and settles by hand, and a rescue that looks when told to.

    What a worker left undone is made by not doing it: a reply's messages are not sent, or the broker is emptied.

    Attributes:
      lab: The lab. Its worker runs only when a test starts it, and rescues nothing meanwhile.
      hand: What a worker asks of the store.
      act: An actor that returns its argument.
    """

    def __init__(
        self, make_lab: MakeLab, *, lease_ttl: int = LEASE_TTL, rescue_interval: int = 600_000
    ) -> None:
        self.lab: Lab = make_lab(lease_ttl=lease_ttl, rescue_interval=rescue_interval)
        self.world = self.lab.world
        self.redis: Any = self.world.redis
        self.hand = ByHand(self.world, lease_ttl=lease_ttl)

        @self.lab.actor(queue_name="q")
        def act(value: Any = None) -> Any:
            self.lab.note("ran")
            return value

        self.act = act
        runtime = self.lab.baton.runtime(self.lab.broker)
        self.store: Store = runtime.store
        self._rescue = Rescue(
            self.store, self.lab.broker, who="this test", interval=60_000, max_rescues=MAX_RESCUES
        )

    # Workflows ----------------------------------------------------------------------------------

    def flow(self, *names: str, deps: dict[str, Any] | None = None) -> Workflow:
        """A workflow of steps that return their names."""
        flow = Workflow("flow")
        for name in names:
            flow.add(name, self.act.message(name), deps=(deps or {}).get(name, ()))
        return flow

    def submit_and_die(self, flow: Workflow, dispatch: str = "ready") -> tuple[WorkflowRun, Spread]:
        """Submit as a process that is killed behind its last command to the store: it sends no message."""
        graph = Graph.of(flow._specs(self.lab.broker), workflow=flow.name)
        spread = submission.submit(
            self.store, flow.id, flow.name, graph, dispatch=dispatch, retention=600_000
        )
        assert spread.word == "created"
        return get_run(flow.id, self.lab.broker), spread

    def run_and_lose(self, flow: Workflow) -> WorkflowRun:
        """Submit, and then lose all messages that the broker holds."""
        run = self.lab.run(flow)
        self.lose_messages()
        return run

    def put_off(self, run: WorkflowRun, step: str, state: str, *, delay: int = 0, retries: int = 0) -> None:
        """Run a step once, as far as a worker gets that dies before it sends the message of the next run."""
        token = self.hand.claim(run, step).token
        seq = self.store.defer(
            Address(run.id, step), token, StepState(state), delay=delay, retries=retries, worker="by hand"
        )
        assert seq is not None

    def lose_messages(self) -> None:
        self.lab.broker.flush("q")

    # The rescue ---------------------------------------------------------------------------------

    def look(self) -> list[str]:
        """One look of the rescue. Returns the steps that it sent."""
        before = len(self.lab.sent.messages)
        self._rescue.look()
        return [message.options["baton"]["step"] for message in self.lab.sent.messages[before:]]

    def pass_time(self) -> None:
        """Make everything an hour older: what is indexed by time, and the workflows themselves."""
        for key in self.world.keys("index:*"):
            if self.redis.type(key) == "zset":
                for member, at in self.redis.zrange(key, 0, -1, withscores=True):
                    self.redis.zadd(key, {member: at - 3_600_000})
        progress = f"{self.world.namespace}:index:progress"
        for field, value in self.redis.hgetall(progress).items():
            self.redis.hset(progress, field, int(float(value)) - 3_600_000)
        for key in self.world.keys("workflow:{*}"):
            self.redis.hincrby(key, "created", -3_600_000)

    def indexed(self) -> list[str]:
        """Every entry of every index by time that the rescue looks at."""
        return [
            member
            for key in self.world.keys("index:*")
            if self.redis.type(key) == "zset" and not (":workflows:" in key or key.endswith(":expiring"))
            for member in self.redis.zrange(key, 0, -1)
        ]

    def record(self, run: WorkflowRun, step: str) -> dict[str, Any]:
        """A step's record, by field."""
        packed = self.store.connections.ask("HGET", f"{self.store.keys.workflow(run.id)}:state", step)
        return dict(zip(FIELDS, msgpack.unpackb(packed), strict=True))

    def finish(self, run: WorkflowRun) -> None:
        """Have a worker run what has been sent."""
        with self.lab.working():
            run.wait(timeout=30_000)

    def close(self) -> None:
        self.hand.close()
