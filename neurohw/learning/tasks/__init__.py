"""The tasks by name. A task gives its samples by number; tasks from recorded data take the path of their file."""

from typing import Any

from neurohw.learning.tasks.evidence import Evidence
from neurohw.learning.tasks.sinusoids import Sinusoids
from neurohw.learning.tasks.task import Task

TASKS: dict[str, Any] = {"evidence": Evidence, "sinusoids": Sinusoids}

__all__ = ["TASKS", "Task"]
