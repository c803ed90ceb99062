"""The crossbar substrate as a device: tiles of rows and columns with a pair of conductances at each crossing."""

from typing import Annotated, Literal

from pydantic import Field

from neurohw.device.machine import Choices, Machine, Site
from neurohw.schema import Count, In, Number

Idle = Literal["none", "reset", "programmed to zero"]


class CrossbarChoices(Choices):
    """How a network is laid onto crossbars. See docs/explanation/crossbar.md."""

    delays: Literal["row per delay", "one per source population"] = Field(
        "row per delay",
        description="a read drives a whole row, so a delay belongs to it: one row per delay of a source, or one delay",
    )
    empty_cells: Idle = Field(
        "reset",
        description="what crossings without a synapse hold: nothing, a pair after RESET, or a pair programmed to zero",
    )
    idle_arms: Idle = Field(
        "reset",
        description="what the arm of a pair holds that does not carry the weight; pulses need one that is there",
    )
    weight_scaling: Literal["per projection", "per receptor"] = Field(
        "per projection",
        description="the network weight of one uS: for each projection (its rows have a read amplitude of their own), "
        "or one for all rows that share a column",
    )
    g_max_weight: float | dict[str, float] | None = Field(
        None,
        description="the network weight that g_max stands for, of all projections or by name: headroom for weights that "
        "will be learned; by default the largest weight takes the share g_use",
    )
    g_use: float | None = Field(
        None,
        gt=0,
        le=1,
        description="the share of g_max that the largest weight takes; by default that of the device file",
    )


class CrossbarMachine(Machine):
    """Tiles of `rows` x `columns` crossings; at each a pair of arms with `devices_per_arm` devices in parallel.

    g_max: the largest conductance of an arm. g_largest_weight: what the largest weight is mapped to by default.
    g_reset, g_reset_sd: an arm after a RESET. pulse_step: the mean step of a SET pulse where nothing else is known of
    it; without it the device can be written and verified only. verify_pulses: pulses that one write may spend on an
    arm. refresh_above: an arm above this makes its pair a candidate for `refresh`, if the difference is below a quarter
    of it.
    """

    rows: Count
    columns: Count
    tiles: Count
    devices_per_arm: Count
    g_max: Annotated[Number, In("uS", at_least=1e-6)]
    g_largest_weight: Annotated[Number, In("uS", at_least=1e-6)]
    g_reset: Annotated[Number, In("uS", at_least=0)]
    g_reset_sd: Annotated[Number, In("uS", at_least=0)]
    pulse_step: Annotated[Number, In("uS", at_least=1e-6)] | None = None
    verify_pulses: Count | None = None
    refresh_above: Annotated[Number, In("uS", at_least=0)] | None = None

    @property
    def unit_word(self) -> str:
        return "column group"

    def sites(self) -> list[Site]:
        """One group of columns per tile at most; how many tiles each needs is counted when the rows are made."""
        return [Site(0, 0, unit) for unit in range(int(self.tiles))]

    def neurons_per_unit(self, choices: Choices) -> int:
        return int(self.columns)
