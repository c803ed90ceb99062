"""spike_loss: the links into the chip carry so many events per second; what comes faster is dropped."""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurohw.effects.effect import Effect
from neurohw.schema import In, Number


class SpikeLoss(Effect):
    """Events from outside that exceed a link's rate, beyond what its buffer evens out, do not arrive.

    Time is divided into frames of  buffer / rate  seconds of hardware time; in each frame a link lets the first
    `buffer` events through. That is a queue of that length that is emptied once per frame: it has the right rate and
    forgets within a frame, so the outcome does not depend on where a run is cut. links: into the whole machine. rate:
    events per second on each, hardware time. out_links, out_rate: the same for spikes that are to be recorded; the
    arrays of the machine share the links in order. What is dropped on the way out has still acted on the chip.
    """

    name: ClassVar[str] = "spike_loss"
    paper: ClassVar[str] = (
        "arXiv:2603.24854 (BrainScaleS-1 links); electronicvisions/hbp-sp9-guidebook, ess.rst (event-loss counters)"
    )
    links: Annotated[Number, In("", at_least=1)]
    rate: Annotated[Number, In("kHz", at_least=1e-9)]
    buffer: Annotated[Number, In("", at_least=1)]
    out_links: Annotated[Number, In("", at_least=1)]
    out_rate: Annotated[Number, In("kHz", at_least=1e-9)]

    def frame(self, dt: float, acceleration: float, out: bool = False) -> int:
        """The length of a frame in steps of dt (ms, network time); at least one."""
        return max(1, round(self.buffer * acceleration / self._rate(out) / dt))

    def budget(self, dt: float, acceleration: float, out: bool = False) -> int:
        """Events that a link takes in one frame: rate times the frame's length, rounded down."""
        return max(1, int(self.frame(dt, acceleration, out) * dt * self._rate(out) / acceleration + 1e-9))

    def _rate(self, out: bool) -> float:
        return float(self.out_rate if out else self.rate)

    def passed(
        self, steps: NDArray[np.int64], links: NDArray[np.int64], dt: float, acceleration: float, out: bool = False
    ) -> NDArray[np.bool_]:
        """Which events arrive. steps: ascending, from the beginning of a frame on; links: by which each comes."""
        frame, budget = self.frame(dt, acceleration, out), self.budget(dt, acceleration, out)
        group = (steps // frame) * (int(links.max(initial=0)) + 1) + links
        order = np.argsort(group, kind="stable")
        ordered = group[order]
        begins = (
            np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
            if ordered.size
            else np.empty(0, np.int64)
        )
        place = np.arange(ordered.size) - np.repeat(begins, np.diff(np.append(begins, ordered.size)))
        arrives = np.empty(steps.size, bool)
        arrives[order] = place < budget
        return arrives
