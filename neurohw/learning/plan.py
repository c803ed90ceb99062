"""The plan of a training: how long, how the chip is looked after, when to stop. The `train:` section of a mapping file has it."""

from typing import Annotated, Literal

from pydantic import Field

from neurohw.mapping import Time
from neurohw.schema import Described

AtLeastOne = Annotated[int, Field(ge=1)]


class Plan(Described):
    """epochs: passes through the course. clip: gradients are cut to [-clip, clip], weight by weight.
    pause: what passes on the chip's clock after each update, before the next sample.
    refresh_every: updates between two times that the chip restores saturated weights by `refresh_policy`.
    read_every: updates between two times that the weights are read back; else the host believes what it sent.
    save_every: epochs between two checkpoints. patience: epochs without a better mean loss after which to stop.
    stop_below: mean loss of an epoch at which to stop.
    """

    epochs: AtLeastOne
    clip: Annotated[float, Field(gt=0)] | None = None
    pause: Time = 0.0
    refresh_every: AtLeastOne | None = None
    refresh_policy: Literal["reset_and_rewrite", "reset_and_verify"] = "reset_and_rewrite"
    read_every: AtLeastOne | None = None
    save_every: AtLeastOne = 25
    patience: AtLeastOne | None = None
    stop_below: Annotated[float, Field(gt=0)] | None = None
