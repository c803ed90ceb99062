"""What the chip batteries are run on: every device, as it is and ideal, with a small recurrent network on it."""

from neurohw import workbench
from neurohw.errors import NotReadable, Unsupported
from tests import small

SUBJECTS = [(name, ideal) for name in small.DEVICES for ideal in ((False, True) if name != "reference" else (False,))]
"""An ideal reference is the reference."""
DURATION = 30.0
SEED = 3
DRIVEN_BY_SEED = {
    "mismatch",
    "weight_noise",
    "synapse_loss",
    "programming_noise",
    "set_pulse",
    "drift",
    "read_noise",
    "adc",
    "dac",
    "dead_lines",
    "stuck_cells",
    "configuration_noise",
    "temporal_noise",
    "readout",
}
"""Effects that make two specimens, or two runs of one trial on two specimens, differ."""


class Subject:
    """A device with its program, one chip that the tests share, and what it gives when freshly loaded."""

    def __init__(self, name, ideal):
        self.name, self.ideal = name, ideal
        self.device = small.device(name, ideal)
        self.program = small.program(name, "recurrent", small.models_of(name)[0], ideal)
        self.chip = self.fresh()
        self.straight = self.chip.run(DURATION)

    def fresh(self, seed=SEED, loaded=True):
        """A chip of its own."""
        chip = workbench.fabricate(self.device, seed)
        if loaded:
            chip.load(self.program)
        return chip

    def clean(self):
        """The shared chip, loaded anew."""
        self.chip.load(self.program)
        return self.chip

    @property
    def projections(self):
        return self.program.network.projections

    @property
    def ages(self):
        """Whether time leaves traces in the weights, so that only a freshly loaded chip repeats a run bit for bit."""
        return self.device.effect("drift") is not None or self.device.effect("read_noise") is not None

    @property
    def dt(self):
        return self.program.dt

    def inhibitory_sign(self, projection):
        return self.program.network.populations[projection.target].model.inhibitory_sign


def refuses_or_works(call, *arguments):
    """The result, or None if the chip says in words that it has no such thing."""
    try:
        return call(*arguments)
    except (Unsupported, NotReadable) as error:
        said = str(error)
    assert len(said) > 20, "a refusal says what is refused and what there is instead"
    return None
