"""The colours of states in drawings."""

from __future__ import annotations

from typing import NamedTuple

from .states import StepState


class Colours(NamedTuple):
    """What a step's box is drawn with, each as ``#rrggbb``."""

    fill: str
    stroke: str
    text: str


PALETTE = {
    StepState.PENDING: Colours("#f4f4f5", "#a1a1aa", "#3f3f46"),
    StepState.QUEUED: Colours("#e0f2fe", "#0284c7", "#0c4a6e"),
    StepState.EXECUTING: Colours("#dbeafe", "#2563eb", "#1e3a8a"),
    StepState.SNOOZED: Colours("#ede9fe", "#7c3aed", "#4c1d95"),
    StepState.RETRYABLE: Colours("#fef3c7", "#d97706", "#78350f"),
    StepState.COMPLETED: Colours("#dcfce7", "#16a34a", "#14532d"),
    StepState.DISCARDED: Colours("#fee2e2", "#dc2626", "#7f1d1d"),
    StepState.CANCELLED: Colours("#e4e4e7", "#52525b", "#27272a"),
}
