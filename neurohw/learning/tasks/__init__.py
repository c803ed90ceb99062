"""The tasks by name. A task gives its samples by number; tasks from recorded data take the path of their file."""

from typing import Any

from neurohw.learning.tasks.braille import Braille
from neurohw.learning.tasks.delayed_xor import DelayedXor
from neurohw.learning.tasks.digits import Digits
from neurohw.learning.tasks.evidence import Evidence
from neurohw.learning.tasks.rates import DigitRates, YinYangRates
from neurohw.learning.tasks.sinusoids import Sinusoids
from neurohw.learning.tasks.store_recall import StoreRecall
from neurohw.learning.tasks.task import Task
from neurohw.learning.tasks.yin_yang import YinYang

TASKS: dict[str, Any] = {
    "sinusoids": Sinusoids,
    "evidence": Evidence,
    "store_recall": StoreRecall,
    "delayed_xor": DelayedXor,
    "yin_yang": YinYang,
    "digits": Digits,
    "braille": Braille,
    "digit_rates": DigitRates,
    "yin_yang_rates": YinYangRates,
}

__all__ = ["TASKS", "Task"]
