"""``run_workflow``: a workflow runs from its first to its last step in the thread that calls it."""

from __future__ import annotations

import contextvars
from contextlib import ExitStack

from dramatiq import Broker, get_broker

from ..durations import Duration
from ..errors import ConfigurationError
from ..run import middleware_of
from ..states import StepState
from ..store import sandbox
from ..workflow import Dispatch, Workflow
from .broker import PrivateBroker
from .clock import Clock
from .finished import FinishedWorkflow
from .performance import Performance
from .redirection import redirecting
from .server import server_url
from .worker import ThreadlessWorker


def run_workflow(
    flow: Workflow,
    *,
    broker: Broker | None = None,
    delay: Duration | None = None,
    dispatch: Dispatch = "ready",
    raises: bool = False,
) -> FinishedWorkflow:
    """Run a workflow here and now, to test it.

    Its actors run one after the other in the calling thread (those that are ``async`` in the event loop that Dramatiq
    runs for them), with the broker's middleware around them, as in a worker. Nothing waits: when nothing else is left
    to be done, the time until the next snooze, delay or backoff is over is skipped. So time limits and rate limits,
    which go by the clock, are of no use here.

    The broker is only asked for its actors and its middleware. No message is sent to it, and no key of its Redis is
    touched: workflows live on an embedded server (the extra ``embedded``), which is started once a process, and nothing
    of them is left there. What actors send themselves is processed here as well, and workflows that they run; what of
    that is still delayed when the workflow has finished is dropped.

    Examples:

      >>> def test_the_brief():
      ...     brief = run_workflow(research_brief("https://example.com"))
      ...     assert brief.state == "completed"
      ...     assert brief.result("summary") == "..."

    Parameters:
      flow: The workflow. It can be run again.
      broker: The broker that its actors are declared on; the global one if not given.
      delay: As :meth:`.Workflow.run` takes it.
      dispatch: As :meth:`.Workflow.run` takes it.
      raises: Whether to raise what the first step raised that was discarded because of an exception. It is raised as it
        is, with its traceback.

    Returns:
      How the workflow ended: a ``WorkflowStatus`` with results, events and usage.

    Raises:
      WorkflowStuck: If it doesn't come to an end, e.g. because a step snoozes for ever; names the steps.
      ConfigurationError: If the extra ``embedded`` isn't installed, the server doesn't start, or ``flow`` isn't a
        ``Workflow``.

    What :meth:`.Workflow.run` raises, it raises too. What isn't an error of the actor but is meant to end the test
    (Ctrl-C, ``pytest.fail()``, leaving the debugger) is raised at once.
    """
    if not isinstance(flow, Workflow):
        raise ConfigurationError(f"run_workflow() takes a Workflow, not {flow!r:.80}")
    # In a context of its own, as a thread of a worker has one: actors see the caller's variables, and set none.
    context = contextvars.copy_context()
    return context.run(_run, flow, broker or get_broker(), delay, dispatch, raises)


def _run(
    flow: Workflow, broker: Broker, delay: Duration | None, dispatch: Dispatch, raises: bool
) -> FinishedWorkflow:
    clock = Clock()
    private = PrivateBroker(broker, url=server_url(), clock=clock)
    runtime = middleware_of(private).runtime(private)
    with ExitStack() as stack:
        stack.callback(runtime.store.connections.close)
        stack.callback(sandbox.erase, runtime.store)
        worker = ThreadlessWorker(private)
        stack.enter_context(redirecting(broker, private))
        worker.start()
        stack.callback(worker.stop)
        run = flow.run(broker=private, delay=delay, dispatch=dispatch)
        performance = Performance(worker, runtime, clock, run)
        performance.go_on()
        finished = FinishedWorkflow.of(run)
    if raises:
        for step, error in performance.errors.items():
            if finished.steps[step].state is StepState.DISCARDED:
                raise error
    return finished
