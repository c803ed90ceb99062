"""The workbench: the one place that takes a network through the passes to a chip and back."""

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

from neurohw import passes, units
from neurohw.calibration import Calibration
from neurohw.chips import chip_for
from neurohw.device import Device, load_device
from neurohw.errors import BadInput, Unsupported
from neurohw.network import Network
from neurohw.program import MIN_STEP, Chip, Program, normalize_record
from neurohw.recording import Recording


def map_network(
    network: Network,
    device: Device | str,
    choices: Mapping[str, Any] | None = None,
    calibration: Any = None,
    dt: Any = None,
    record: Mapping[str, Any] | None = None,
) -> Program:
    """Lower a network onto a device.

    calibration: of the specimen that the program will run on, where parameters are set by codes; see `neurohw.calibrate`.
    dt: the time step (ms or text), by default the device's own. record: see `neurohw.program.normalize_record`.
    Raises Unsupported or DoesNotFit with every reason, BadInput for unknown choices.
    """
    kind = load_device(device) if isinstance(device, str) else device
    if not isinstance(network, Network):
        raise BadInput(f"map_network: expected a Network, got {type(network).__name__}")
    step = kind.time_step if dt is None else units.parse(dt, "ms", "dt")
    if calibration is not None:
        _check_calibration(kind, calibration)
    if step < MIN_STEP:
        raise BadInput(f"dt {step:g} ms: the time step must be at least {MIN_STEP:g} ms")
    if not network.neurons:
        raise BadInput(f"{network.name}: the network has no neurons; add a population first")
    wanted = normalize_record(network, record)
    return passes.apply(Program(network, kind, kind.choices(choices), float(step), wanted, calibration))


def _check_calibration(device: Device, calibration: Any) -> None:
    if device.effect("parameter_codes") is None or device.is_ideal:
        raise Unsupported(
            f"{device.title}: its parameters are not set by codes, so a calibration has nothing to change; map without one"
        )
    if not isinstance(calibration, Calibration):
        raise BadInput(
            f"calibration: expected one that nh.calibrate or nh.load_calibration gave, got {type(calibration)}"
        )
    if calibration.device != device.name:
        raise BadInput(f"the calibration is of a {calibration.device}, not of a {device.name}; calibrate this device")


def fabricate(device: Device | str, seed: int = 0) -> Chip:
    """One specimen of a device: its fixed pattern belongs to (device, seed) and is the same whenever it is made."""
    if isinstance(seed, bool) or not isinstance(seed, Integral):
        raise BadInput(f"fabricate: seed {seed!r} is no whole number")
    return chip_for(load_device(device) if isinstance(device, str) else device, int(seed))


def run(
    program: Program,
    chip: Chip,
    duration: Any,
    trial: int | Iterable[int] = 0,
    stimulus: Mapping[str, Any] | Iterable[Mapping[str, Any]] | None = None,
) -> Any:
    """Load the program if the chip has another, and run: one Recording, or a list for a list of trials or stimuli.

    The state is reset before each trial, and each starts at the age that the chip had at the beginning, so that a list gives
    what single runs give; afterwards the chip is older by the last.
    """
    if not isinstance(program, Program):
        raise BadInput(f"run: expected a Program, as map_network gives it, got {type(program).__name__}")
    if getattr(chip, "program", None) is not program:
        chip.load(program)
    trials = [int(trial)] if isinstance(trial, Integral) else _listed(trial)
    stimuli = [stimulus] if stimulus is None or isinstance(stimulus, Mapping) else list(stimulus)
    if isinstance(trial, Integral) and (stimulus is None or isinstance(stimulus, Mapping)):
        return chip.run(duration, trial=int(trial), stimulus=stimulus)
    if len(trials) > 1 and len(stimuli) > 1 and len(trials) != len(stimuli):
        raise BadInput(f"run: {len(trials)} trials but {len(stimuli)} stimuli; give one of either, or as many")
    n = max(len(trials), len(stimuli)) if trials and stimuli else 0
    pairs = zip(trials * (n // max(1, len(trials))), stimuli * (n // max(1, len(stimuli))), strict=True)
    age, recordings = getattr(chip, "age", None), []
    for one_trial, one_stimulus in pairs:
        back_to(chip, age)
        recordings.append(chip.run(duration, trial=one_trial, stimulus=one_stimulus))
    return recordings


def back_to(chip: Any, age: float | None) -> None:
    """Give a chip back the age that it had before, where chips have one: every trial of a list starts alike."""
    if age is not None:
        chip.age = age


def _listed(trial: Any) -> list[int]:
    given = list(trial) if isinstance(trial, Iterable) and not isinstance(trial, str) else [trial]
    if not all(isinstance(one, Integral) for one in given):
        raise BadInput(f"run: trial {trial!r} is no whole number, nor a list of them")
    return [int(one) for one in given]


def run_reference(
    network: Network,
    duration: Any,
    trial: int | Iterable[int] = 0,
    dt: Any = "0.1 ms",
    record: Mapping[str, Any] | None = None,
    stimulus: Any = None,
    choices: Mapping[str, Any] | None = None,
) -> Recording | list[Recording]:
    """Run a network on the reference, Brian2 in float64."""
    program = map_network(network, "reference", choices=choices, dt=dt, record=record)
    return run(program, fabricate("reference"), duration, trial, stimulus)
