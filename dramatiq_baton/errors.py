"""Every error that Baton raises.

All are :class:`BatonError`. Wrong use of the API is also a ``ValueError``, so that code which
validates user input needs no knowledge of Baton.
"""

from __future__ import annotations


class BatonError(Exception):
    """Base class of all errors of this package."""


class InvalidName(BatonError, ValueError):
    """A workflow id, workflow name, step name or namespace can't be used as such."""


class DuplicateStep(BatonError, ValueError):
    """Two steps of one workflow have the same name."""


class UnknownStep(BatonError, ValueError):
    """A step is named that the workflow doesn't have, or that isn't a declared dep."""


class CycleError(BatonError, ValueError):
    """The deps of a workflow form a cycle; the message names its steps in order."""


class EmptyWorkflow(BatonError, ValueError):
    """A workflow without any step can't be run."""


class NotAWorkflowActor(BatonError, ValueError):
    """A step's message is for something else than an actor declared with ``@workflow_actor``."""


class WorkflowExists(BatonError, ValueError):
    """The workflow's id belongs to a workflow with another graph."""


class WorkflowRunning(BatonError, ValueError):
    """The workflow hasn't finished, so it can't be retried."""


class NotExecuting(BatonError, ValueError):
    """What only a step that is being executed can do was asked of one that isn't."""


class WorkflowNotFound(BatonError, LookupError):
    """No workflow with that id is stored: it never was, or its retention is over."""


class WorkflowTimeout(BatonError, TimeoutError):
    """The workflow didn't finish within the time that the caller was ready to wait."""


class WorkflowStuck(BatonError):
    """A workflow that is run for a test doesn't come to an end; the message names the steps."""


class ResultMissing(BatonError, LookupError):
    """The step has no result: it hasn't completed, or it never will."""


class ResultNotSerializable(BatonError, TypeError):
    """A value holds something that can't be stored; the message names the path in it and the type."""


class ResultTooLarge(BatonError, ValueError):
    """A result is larger than ``max_result_size``."""


class CorruptData(BatonError):
    """What is stored under one of Baton's keys isn't what Baton wrote there."""


class ConfigurationError(BatonError, ValueError):
    """Baton can't work as it is set up: an option, the URL, the password or the server is wrong."""


class StoreUnavailable(BatonError, ConnectionError):
    """Redis can't be reached or doesn't answer. The same call may succeed later."""


class StoreError(BatonError):
    """Redis refused a command for a reason that Baton doesn't know."""
