"""Tests of workflows without a worker, without a Redis, and without waiting: :func:`run_workflow`."""

from __future__ import annotations

from ..errors import WorkflowStuck
from .finished import FinishedWorkflow
from .runner import run_workflow

__all__ = ["FinishedWorkflow", "WorkflowStuck", "run_workflow"]
