"""Workflows for Dramatiq: DAGs of actors with gated steps, exactly-once results and live events."""

from __future__ import annotations

from .actors import workflow_actor
from .errors import (
    BatonError,
    ConfigurationError,
    CorruptData,
    CycleError,
    DuplicateStep,
    EmptyWorkflow,
    InvalidName,
    NotAWorkflowActor,
    NotExecuting,
    ResultMissing,
    ResultNotSerializable,
    ResultTooLarge,
    StoreError,
    StoreUnavailable,
    UnknownStep,
    WorkflowExists,
    WorkflowNotFound,
    WorkflowRunning,
    WorkflowTimeout,
)
from .events import Event, EventType
from .interruption import StepCancelled
from .middleware import BatonMiddleware
from .outcomes import Cancel, Discard, Snooze
from .run import WorkflowRun, get_run, get_run_async
from .states import StepState, StepStatus, WorkflowState, WorkflowStatus
from .step import Step, current_step
from .usage import Call, Usage, UsageReport, UsageSum
from .workflow import StepRef, Workflow

__all__ = [
    "BatonError",
    "BatonMiddleware",
    "Call",
    "Cancel",
    "ConfigurationError",
    "CorruptData",
    "CycleError",
    "Discard",
    "DuplicateStep",
    "EmptyWorkflow",
    "Event",
    "EventType",
    "InvalidName",
    "NotAWorkflowActor",
    "NotExecuting",
    "ResultMissing",
    "ResultNotSerializable",
    "ResultTooLarge",
    "Snooze",
    "Step",
    "StepCancelled",
    "StepRef",
    "StepState",
    "StepStatus",
    "StoreError",
    "StoreUnavailable",
    "UnknownStep",
    "Usage",
    "UsageReport",
    "UsageSum",
    "Workflow",
    "WorkflowExists",
    "WorkflowNotFound",
    "WorkflowRun",
    "WorkflowRunning",
    "WorkflowState",
    "WorkflowStatus",
    "WorkflowTimeout",
    "current_step",
    "get_run",
    "get_run_async",
    "workflow_actor",
]
__version__ = "0.2.0"
