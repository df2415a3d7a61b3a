"""Traces for OpenTelemetry, by its API alone: what becomes of the spans is up to the SDK that the user sets up.

A span lives in one process, a workflow doesn't. So the first span of a workflow's trace is that of its submission,
which is short; it is the parent of all others. Its context is carried with the workflow, as in the headers of a
request, and that of an execution with its step, for dependents to link to.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextvars import Token
from dataclasses import dataclass

try:
    from opentelemetry import context, propagate, trace
    from opentelemetry.context import Context
    from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, TracerProvider
except ImportError:
    from ._extras import missing

    raise missing("opentelemetry-api", extra="opentelemetry") from None

from ..observing import Execution, Observer, Submission, Words, WorkflowEnd
from ..outcomes import Discard
from ..states import StepState, WorkflowState

WORKFLOW_ID = "dramatiq_baton.workflow.id"
WORKFLOW_NAME = "dramatiq_baton.workflow.name"
#: The states behind executions that are errors. Of one that failed, the state is ``retryable`` or ``discarded``.
ERRORS = (StepState.RETRYABLE, StepState.DISCARDED)
NOWHERE = Context()  #: what isn't in the calling thread's trace, nor in anybody's


@dataclass(slots=True)
class _Open:
    """A span that hasn't ended, and is the current one until :meth:`leave`."""

    span: Span
    token: Token[Context] | None
    error: BaseException | None = None
    ended_at: int | None = None

    @classmethod
    def enter(cls, span: Span, within: Context | None = None) -> _Open:
        return cls(span, context.attach(trace.set_span_in_context(span, within)))

    def leave(self, error: BaseException | None) -> None:
        if self.token is not None:
            context.detach(self.token)
        self.token, self.error, self.ended_at = None, error, time.time_ns()

    def end(self) -> None:
        self.span.end(self.ended_at)


class OpenTelemetryObserver(Observer):
    """Makes one trace of each workflow: a span for its submission, one for each execution of a step, and one for all.

    - ``submit <workflow>`` (producer): the call of ``run()``, within the caller's own span.
    - ``execute <actor>`` (consumer): one execution, within the submission, linked to those that completed its deps (to
      100 of them at most). It is the current span while the actor runs, so that what the actor does is within it.
    - ``workflow <workflow>`` (internal): from the start of the workflow to its end, within the submission; written when
      it has finished, by the process that finished it.

    Submitters and workers all need the observer: it is the submitter that begins the trace. What is carried is what
    OpenTelemetry's global propagator writes, by default ``traceparent``, ``tracestate`` and ``baggage``.

    Examples:

      >>> broker.add_middleware(BatonMiddleware(observers=[OpenTelemetryObserver()]))

    Parameters:
      tracer_provider: Gives the tracer; the global one if not given.

    Raises:
      ConfigurationError: When imported, if ``opentelemetry-api`` isn't installed.
    """

    carries = True

    def __init__(self, *, tracer_provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("dramatiq_baton", tracer_provider=tracer_provider)
        self._open: dict[Submission | Execution, _Open] = {}

    def before_submit(self, submission: Submission) -> Words:
        span = self._tracer.start_span(
            f"submit {submission.workflow_name}",
            kind=SpanKind.PRODUCER,
            attributes={
                "messaging.system": "dramatiq",
                "messaging.operation.type": "send",
                WORKFLOW_ID: submission.workflow_id,
                WORKFLOW_NAME: submission.workflow_name,
                "dramatiq_baton.workflow.steps": submission.steps,
            },
        )
        self._open[submission] = _Open.enter(span)
        return _injected(None)

    def after_submit(self, submission: Submission, error: BaseException | None) -> None:
        if (opened := self._open.pop(submission, None)) is None:
            return
        opened.leave(error)
        opened.span.set_attribute("dramatiq_baton.workflow.created", submission.created)
        if error is not None:
            opened.span.record_exception(error)
            opened.span.set_status(Status(StatusCode.ERROR, str(error)))
        opened.end()

    def before_actor(self, execution: Execution) -> Words:
        parent = propagate.extract(execution.submitted, context=NOWHERE)
        span = self._tracer.start_span(
            f"execute {execution.actor}",
            context=parent,
            kind=SpanKind.CONSUMER,
            links=list(_links(execution)),
            attributes={
                "messaging.system": "dramatiq",
                "messaging.operation.type": "process",
                "messaging.destination.name": execution.queue,
                WORKFLOW_ID: execution.workflow_id,
                WORKFLOW_NAME: execution.workflow_name,
                "dramatiq_baton.step.name": execution.step,
                "dramatiq_baton.step.actor": execution.actor,
                "dramatiq_baton.step.attempt": execution.attempt,
            },
        )
        self._open[execution] = _Open.enter(span, parent)
        return _injected(trace.set_span_in_context(span, NOWHERE))

    def after_actor(self, execution: Execution, error: BaseException | None) -> None:
        if (opened := self._open.get(execution)) is not None:
            opened.leave(error)

    def execution_recorded(self, execution: Execution, state: StepState | None, reason: str) -> None:
        if (opened := self._open.pop(execution, None)) is None:
            return
        span = opened.span
        span.set_attribute("dramatiq_baton.step.state", "lost" if state is None else state.value)
        if reason:
            span.set_attribute("dramatiq_baton.step.reason", reason)
        if state in ERRORS:
            if opened.error is not None and not isinstance(opened.error, Discard):
                span.record_exception(opened.error, timestamp=opened.ended_at)
            span.set_status(Status(StatusCode.ERROR, reason))
        opened.end()

    def workflow_finished(self, end: WorkflowEnd) -> None:
        if not end.words:
            return  # its submitter has no observer: there is no trace that this could be in
        now = time.time_ns()
        span = self._tracer.start_span(
            f"workflow {end.workflow_name}",
            context=propagate.extract(end.words, context=NOWHERE),
            attributes={
                WORKFLOW_ID: end.workflow_id,
                WORKFLOW_NAME: end.workflow_name,
                "dramatiq_baton.workflow.state": end.state.value,
            },
            start_time=now - end.duration * 1_000_000,
        )
        if end.state is WorkflowState.FAILED:
            span.set_status(Status(StatusCode.ERROR))
        span.end(now)


def _injected(within: Context | None) -> Words:
    words: dict[str, str] = {}
    propagate.inject(words, context=within)
    return words


def _links(execution: Execution) -> Iterator[Link]:
    for words in execution.deps:
        span = trace.get_current_span(propagate.extract(words, context=NOWHERE))
        if span.get_span_context().is_valid:
            yield Link(span.get_span_context())
