"""The crossbar substrate as a device: tiles of rows and columns with a pair of conductances at each crossing."""

from typing import Annotated, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from neurohw.device.machine import Choices, Machine, Site
from neurohw.errors import BadInput
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
    weight_scaling: Literal["per projection", "per receptor", "per tile", "per column"] = Field(
        "per projection",
        description="the network weight of one uS: for each projection (its rows have a read amplitude of their own), "
        "one for all rows that share a column, or the same with a digital factor for each stack of tiles or each column, "
        "so that its own largest weight takes the range",
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
    pairs_per_synapse: int = Field(
        1, ge=1, le=64, description="how many pairs, in neighboring columns, hold one weight between them"
    )
    significance: int = Field(
        1,
        ge=1,
        le=1024,
        description="how much more a pair counts than the one before it: 1, equal shares; b, digits of base b of which the "
        "least takes the remainder",
    )
    accumulation: Literal["digital", "analog"] = Field(
        "digital",
        description="tiles that share their columns are added up after a converter each, or as currents before one",
    )
    adc_range: float | None = Field(
        None, gt=0, description="full scale of the converters in uS; by default that of the device file"
    )
    read_noise: Literal["exact", "per column"] = Field(
        "exact",
        description="how noise that is clipped is drawn: for each device that is read, or once per column with the mean "
        "and the variance that the clipped reads have",
    )

    @property
    def shares(self) -> NDArray[np.floating]:
        """How much each pair of a synapse counts, the least first: 1, b, b^2, ... for the significance b."""
        return float(self.significance) ** np.arange(self.pairs_per_synapse)

    @property
    def reach(self) -> float:
        """The largest weight over what the largest conductance alone stands for."""
        return float(self.shares.sum())

    def spread(self, g: NDArray[np.float64], largest: float) -> NDArray[np.float64]:
        """The conductance difference (uS) of each pair of synapses that are to come to `g`; sum_k shares[k] result[k] = g.

        g: uS, |g| <= reach * largest; the result: (pairs, *g.shape), each within +-largest. Equal shares, or from the
        most significant pair down the nearest digit (a multiple of largest / (b - 1)); the least significant pair takes
        what remains, of either sign, so nothing is rounded.
        """
        found = np.empty((self.pairs_per_synapse, *g.shape))
        if self.significance == 1:
            found[:] = g / self.pairs_per_synapse
            return found
        top = self.significance - 1
        step, left = largest / top, g.astype(float)
        for k in range(self.pairs_per_synapse - 1, 0, -1):
            share = self.shares[k]
            found[k] = np.clip(np.round(left / (share * step)), -top, top) * step
            left = left - share * found[k]
        found[0] = left
        return found


class CrossbarMachine(Machine):
    """Tiles of `rows` x `columns` crossings; at each a pair of arms with `devices_per_arm` devices in parallel.

    g_max: the largest conductance of an arm. g_largest_weight: what the largest weight is mapped to by default.
    g_reset, g_reset_sd: an arm after a RESET. pulse_step: the mean step of a SET pulse where nothing else is known of
    it; without it the device can be written and verified only. verify_pulses: pulses that one write may spend on an
    arm. endurance: pulses that a device is said to survive. pulse_time, read_time: of one pulse, of one read of rows. refresh_above: an arm above this makes its pair a candidate for `refresh`, if the difference is below a quarter
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
    endurance: Annotated[Number, In("", at_least=1)] | None = None
    pulse_time: Annotated[Number, In("ms", at_least=1e-12)] | None = None
    read_time: Annotated[Number, In("ms", at_least=1e-12)] | None = None
    refresh_above: Annotated[Number, In("uS", at_least=0)] | None = None

    @property
    def unit_word(self) -> str:
        return "column group"

    def sites(self) -> list[Site]:
        """One group of columns per tile at most; how many tiles each needs is counted when the rows are made."""
        return [Site(0, 0, unit) for unit in range(int(self.tiles))]

    def largest(self, choices: CrossbarChoices) -> float:
        """The conductance (uS) that the largest weight takes in each of its pairs."""
        return float(self.g_max * choices.g_use if choices.g_use else self.g_largest_weight)

    def pair_targets(self, g: NDArray[np.float64], choices: CrossbarChoices) -> NDArray[np.float64]:
        """The target (uS, signed) of each pair of synapses of total conductance `g`: (pairs, synapses).

        Digits are of the range that the largest weight takes; only what is written beyond it takes more.
        """
        usual = self.largest(choices)
        beyond = np.abs(g) > choices.reach * usual * (1 + 1e-9)
        found = choices.spread(g, usual)
        if beyond.any():
            found[:, beyond] = choices.spread(g[beyond], float(self.g_max))
        return found

    def neurons_per_unit(self, choices: Choices) -> int:
        """Neurons whose columns fit side by side. Raises BadInput where those of one neuron do not."""
        pairs = cast(CrossbarChoices, choices).pairs_per_synapse
        if pairs > self.columns:
            raise BadInput(f"pairs_per_synapse {pairs}: a tile has {self.columns:g} columns; take fewer pairs")
        return int(self.columns) // pairs
