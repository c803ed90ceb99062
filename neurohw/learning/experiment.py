"""A mapping file with a `train:` section carried out: a task learned on every chip of the file, for every seed.

    network: {task: {name: sinusoids}, hidden: 100}      see RecurrentNetwork
    duration: 1 s                                                       of one sample
    chips: [{device: pcm-set, choices: {g_max_weight: 0.1}, train: {scheme: {name: mixed_precision}}}]
    train: {epochs: 250, rule: {...}, optimizer: {...}, seeds: [42, 43]}

A seed is the task, the initial weights, the specimen and the draws of a scheme, all in one.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from neurohw.device import Device
from neurohw.digest import digest
from neurohw.errors import BadInput, NeurohwError
from neurohw.learning.batch import Batch
from neurohw.learning.eprop import EProp
from neurohw.learning.feedback import Feedback
from neurohw.learning.layered import LayeredNetwork
from neurohw.learning.layout import laid_out
from neurohw.learning.learner import Learner, Weights
from neurohw.learning.optimizers import OPTIMIZERS
from neurohw.learning.plan import Plan
from neurohw.learning.rate_code import RateCode
from neurohw.learning.recurrent import RecurrentNetwork
from neurohw.learning.rule import Rates
from neurohw.learning.schemes import SCHEMES, Scheme
from neurohw.learning.surrogate import Surrogate
from neurohw.learning.tasks import TASKS, Task
from neurohw.learning.trainer import Course, Progress, Trained, Trainer
from neurohw.mapping import ChipEntry, Seed, Time
from neurohw.mapping import Mapping as MappingOf
from neurohw.network import Network
from neurohw.schema import Described, validate
from neurohw.workbench import fabricate, map_network

AtLeastOne = Annotated[int, Field(ge=1, le=1_000_000)]


class RuleEntry(Described):
    """The learning rule: e-prop. feedback_gain: of random feedback, in place of that of the network's initial weights.

    regularization, target_rate (Hz): what holds firing rates. surrogate_height, surrogate_width: see `Surrogate`.
    """

    name: Literal["eprop"] = "eprop"
    form: str = "online"
    feedback: Literal["symmetric", "random", "adaptive"] = "random"
    feedback_gain: Annotated[float, Field(gt=0)] | None = None
    feedback_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    regularization: Annotated[float, Field(ge=0)] = 0.0
    target_rate: Annotated[float, Field(ge=0)] = 10.0
    surrogate: str = "piecewise_linear"
    surrogate_height: Annotated[float, Field(gt=0)] | None = None
    surrogate_width: Annotated[float, Field(gt=0)] | None = None
    average: bool = False
    membranes: Literal["recording", "twin"] = "twin"
    readout: Literal["recording", "twin"] = "recording"


class RateEntry(Described):
    """The learning rule: back-propagation through firing rates, see `RateCode`. rest: what a sample goes on for."""

    name: Literal["rate_code"]
    temperature: Annotated[float, Field(gt=0)] = 2.0
    silent: Annotated[float, Field(ge=0, le=1)] = 0.2
    rest: Time = 10.0


NETWORKS: dict[str, type[RecurrentNetwork] | type[LayeredNetwork]] = {
    "eprop": RecurrentNetwork,
    "rate_code": LayeredNetwork,
}
"""Rule -> the network that learns by it."""


def network_of(train: Mapping[str, Any]) -> type[RecurrentNetwork] | type[LayeredNetwork]:
    """The kind of network that the rule of a `train:` section needs."""
    rule = train.get("rule")
    return NETWORKS.get(str(rule.get("name", "eprop")) if isinstance(rule, Mapping) else "eprop", RecurrentNetwork)


def _rule(given: Any) -> Any:
    """A rule without a name is e-prop."""
    return {"name": "eprop", **given} if isinstance(given, Mapping) else given


Rule = Annotated[RuleEntry | RateEntry, Field(discriminator="name"), BeforeValidator(_rule)]


class TrainEntry(Plan):
    """What stands under `train:`: the plan, the rule, and how gradients become writes.

    train_samples, test_samples: the first so many of the task, and those after them. batch: samples of one update.
    new_samples: each epoch has samples of its own, train_samples of them; the tests are then the first of the task.
    in_a_row: samples that follow each other in one run, since starting a run may cost more than a sample; it divides the
    other three. network: what is to be another than under `network:`. copies, substitute: see `neurohw.learning.layout`.
    start: initial weights are written by `load`, or brought onto an empty chip by the scheme. after: a chip that stands
    before this one in the file, whose trained weights (same seed) are the initial ones; what they are worth on this chip
    before it learns is measured too.
    """

    rule: Rule = RuleEntry()
    after: str | None = None
    optimizer: dict[str, Any] = {"name": "gradient_descent", "rate": 1e-4}
    scheme: dict[str, Any] = {"name": "shadow"}
    network: dict[str, Any] = {}
    train_samples: AtLeastOne = 3
    test_samples: Annotated[int, Field(ge=0)] = 3
    batch: AtLeastOne = 1
    new_samples: bool = False
    in_a_row: AtLeastOne = 1
    copies: AtLeastOne = 1
    substitute: dict[str, str] = {}
    start: Literal["written", "scheme"] = "written"
    seeds: Annotated[list[Seed], Field(min_length=1, max_length=1000)] = [1]

    @model_validator(mode="after")
    def _fits_together(self) -> "TrainEntry":
        for name in ("batch", "train_samples", "test_samples"):
            if (n := getattr(self, name)) % self.in_a_row:
                raise ValueError(f"in_a_row: {name} {n} is not a multiple of {self.in_a_row}")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: one stands twice, and would give the same numbers twice")
        if self.in_a_row > 1 and isinstance(self.rule, RateEntry):
            raise ValueError("in_a_row: the rule rate_code counts the spikes of whole runs, so each has one sample")
        return self

    @property
    def samples(self) -> int:
        """How many samples of the task are used, tests included."""
        return self.test_samples + self.train_samples * (self.epochs if self.new_samples else 1)


@dataclass(frozen=True, eq=False)
class Case:
    """One chip entry of the file, ready to be trained for any seed."""

    name: str
    entry: ChipEntry
    device: Device
    train: TrainEntry
    net: RecurrentNetwork | LayeredNetwork
    task: Task
    scheme: Scheme
    where: str

    def trainer(self, seed: int, weights: Weights | None = None) -> Trainer:
        """A training that has not begun, from these weights or those of the seed.

        Raises BadInput or Unsupported, naming the chip of the file.
        """
        try:
            return self._trainer(seed, weights)
        except NeurohwError as error:
            raise type(error)(f"{self.where}: {error}") from None

    def _trainer(self, seed: int, given: Weights | None) -> Trainer:
        train, weights = self.train, dict(given or self.net.weights(self.task, seed))
        written = {n: np.zeros_like(w) for n, w in weights.items()} if train.start == "scheme" else weights
        network = self.net.network(self.task, seed, written, self.task.dt)
        learner = self._learner(network, seed)
        laid, layout = laid_out(network, weights, self.device, train.copies, self.scheme.needs_aside, train.substitute)
        program = map_network(laid, self.device, self.entry.choices, dt=self.task.dt, record=learner.record)
        chip = fabricate(self.device, seed)
        chip.load(program)
        identity = digest(
            program.fingerprint, seed, repr(self.train), repr(self.scheme), repr(self.net), repr(self.task), weights
        )
        made = Trainer(
            chip, learner, self._course(seed), self.scheme, self._optimizer(), Plan(**_plan(train)), written, layout,
            self.task.dt, identity, seed,
        )  # fmt: skip
        if train.start == "scheme":
            made.begin(weights)
        return made

    def _learner(self, network: Network, seed: int) -> Learner:
        rule, net = self.train.rule, self.net
        if isinstance(rule, RateEntry) or isinstance(net, LayeredNetwork):
            assert isinstance(rule, RateEntry)
            return RateCode(
                network, list(net.shapes(self.task)), self.task.dt, rule.temperature, rule.silent, rule.rest
            )
        weights = (
            net.feedback(self.task, seed, rule.feedback_gain or net.gain) if rule.feedback != "symmetric" else None
        )
        surrogate = Surrogate(rule.surrogate, rule.surrogate_height, rule.surrogate_width)
        rates = Rates(rule.regularization, rule.target_rate)
        feedback = Feedback(rule.feedback, weights, rule.feedback_decay)
        return EProp(
            network, self.task.dt, rule.form, surrogate, feedback, rates, rule.average, rule.membranes, rule.readout
        )

    def _optimizer(self) -> Any:
        given = dict(self.train.optimizer)
        name = given.pop("name", None)
        if name not in OPTIMIZERS:
            raise BadInput(f"train.optimizer: no optimizer {name!r}; there are {', '.join(OPTIMIZERS)}")
        known = [f.name for f in fields(OPTIMIZERS[name]) if f.name not in ("updates", "moments")]
        if strange := [key for key in given if key not in known]:
            raise BadInput(f"train.optimizer: unknown key {strange[0]!r}; there are {', '.join(known)}")
        if "rate" not in given:
            raise BadInput("train.optimizer: rate: missing")
        rate, trained = given["rate"], self.net.shapes(self.task)
        if isinstance(rate, Mapping) and set(rate) != set(trained):
            raise BadInput(
                f"train.optimizer: rate: {', '.join(sorted(rate))}: one for each of {', '.join(trained)} is needed, or one for all"
            )
        return OPTIMIZERS[name](**given)

    def _course(self, seed: int) -> Course:
        """The batches of an epoch; those of the first stand for all, unless each epoch has `new_samples`."""
        if not self.train.new_samples:
            batches = self._epoch(0, seed)
            return lambda epoch: batches
        return lambda epoch: self._epoch(self.train.test_samples + epoch * self.train.train_samples, seed)

    def _epoch(self, first: int, seed: int) -> list[Batch]:
        train = self.train
        n = train.batch // train.in_a_row
        whole = self.task.batch(first, train.train_samples, seed).in_a_row(train.in_a_row)
        return [whole.samples(slice(k, k + n)) for k in range(0, whole.n_samples, n)]

    def tests(self, seed: int) -> list[Batch]:
        """The test samples, one run in each batch; none of them is trained on."""
        train, n = self.train, self.train.test_samples
        if not n:
            return []
        whole = self.task.batch(0 if train.new_samples else train.train_samples, n, seed).in_a_row(train.in_a_row)
        return [whole.samples(slice(k, k + 1)) for k in range(whole.n_samples)]


def _plan(train: TrainEntry) -> dict[str, Any]:
    """The fields of a Plan, times as text, as it takes them."""
    found = {name: getattr(train, name) for name in Plan.model_fields}
    return {**found, "pause": f"{train.pause!r} ms"}


def cases(mapping: MappingOf) -> list[Case]:
    """The trainings of a file, checked. Raises BadInput with the place and the fault."""
    where, file = str(mapping.path), mapping.file
    if file.train is None:
        raise BadInput(f"{where}: train: missing; write for example train: {{epochs: 100, scheme: {{name: shadow}}}}")
    given = dict(file.network)
    task = _task(given.pop("task", None), f"{where}: network.task")
    kind = network_of(file.train)
    validate(kind, given, f"{where}: network")
    if abs(task.steps * task.dt - file.duration) > 1e-6:
        raise BadInput(
            f"{where}: duration: {file.duration:g} ms, but a sample of the task lasts {task.steps * task.dt:g} ms"
        )
    found: list[Case] = []
    for name, (entry, device) in mapping.devices().items():
        place = f"{where}: chip {name!r}"
        train = validate(TrainEntry, _merged(file.train, entry.train), f"{place}: train")
        net = validate(kind, {**given, **train.network}, f"{place}: train.network")
        if train.after is not None and train.after not in [case.name for case in found]:
            raise BadInput(f"{place}: train.after: {train.after!r} is no chip that stands before this one")
        _check_samples(train, task, next((c.train for c in found if c.name == train.after), None), place)
        found.append(
            Case(name, entry, device, train, net, task, scheme_of(train.scheme, f"{place}: train.scheme"), place)
        )
    if not found:
        raise BadInput(f"{where}: chips: there are none; write for example chips: [{{device: pcm-set}}]")
    return found


def _check_samples(train: TrainEntry, task: Task, before: TrainEntry | None, place: str) -> None:
    """No test sample may be one that is trained on: not here, and not by the chip whose weights this one takes over."""
    if train.test_samples and train.samples > (limit := getattr(task, "size", None) or np.inf):
        raise BadInput(
            f"{place}: train: {train.samples} samples are needed, tests included, and the task has {limit}, after which it "
            f"begins anew; take fewer train_samples, test_samples{', or epochs' if train.new_samples else ''}"
        )
    names = ("train_samples", "test_samples", "new_samples")
    if before is not None and (unlike := [n for n in names if getattr(train, n) != getattr(before, n)]):
        raise BadInput(
            f"{place}: train.{unlike[0]}: {getattr(train, unlike[0])}, but {getattr(before, unlike[0])} for {train.after!r}, which "
            "may have learned from the test samples of this chip then; give both the same"
        )


def scheme_of(given: Mapping[str, Any], where: str) -> Scheme:
    """The scheme of a `scheme:` section."""
    rest = dict(given)
    name = rest.pop("name", None)
    if name not in SCHEMES:
        raise BadInput(f"{where}: no scheme {name!r}; there are {', '.join(SCHEMES)}")
    return validate(SCHEMES[name], rest, where)


def _task(given: Any, where: str) -> Task:
    if not isinstance(given, Mapping) or given.get("name") not in TASKS:
        raise BadInput(f"{where}: expected {{name: ...}} with one of {', '.join(TASKS)}, got {given!r}")
    rest = {key: value for key, value in given.items() if key != "name"}
    kind = TASKS[given["name"]]
    try:
        return kind(**rest)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None
    except TypeError:
        known = ", ".join(f.name for f in fields(kind))
        raise BadInput(f"{where}: {', '.join(rest)}: not the keys of this task; there are {known}") from None


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`below` with what `above` says instead; sections are merged too, unless they name another thing."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        same = isinstance(old, Mapping) and isinstance(value, Mapping)
        if same and ("name" not in value or value["name"] == old.get("name")):  # type: ignore[union-attr]
            merged[key] = _merged(old, value)  # type: ignore[arg-type]
        else:
            merged[key] = value
    return merged


@dataclass(frozen=True, eq=False)
class Outcome:
    """One chip and seed of a file, trained. test: metric -> mean over the test samples, run after the last epoch.

    before: the same with the weights of another chip (`after`), before the first update; empty where there is none.
    """

    case: Case
    seed: int
    trained: Trained
    test: Mapping[str, float]
    before: Mapping[str, float]


def run(
    mapping: MappingOf, folder: Path | None = None, progress: Progress | None = None, fresh: bool = False
) -> Iterator[Outcome]:
    """Train every chip of the file for every seed, one after the other.

    folder: where checkpoints lie, one for each; a training that was interrupted goes on from its own. fresh: never mind
    them. What a chip or scheme refuses is raised before the first training begins.
    """
    found = cases(mapping)
    for case in found:
        case.trainer(case.train.seeds[0])
    jobs = [(case, seed) for case in found for seed in case.train.seeds]
    learned: dict[tuple[str, int], Weights] = {}
    for number, (case, seed) in enumerate(jobs):
        show = _share(progress, f"{case.name}, seed {seed}", number, len(jobs))
        outcome = _one(case, seed, learned.get((case.train.after or "", seed)), folder, fresh, show)
        learned[case.name, seed] = outcome.trained.weights
        yield outcome


def _share(progress: Progress | None, what: str, number: int, of: int) -> Progress:
    def show(said: str, share: float) -> None:
        if progress:
            progress(f"{what}: {said}", (number + share) / of)

    return show


def _one(
    case: Case, seed: int, weights: Weights | None, folder: Path | None, fresh: bool, progress: Progress
) -> Outcome:
    if case.train.after is not None and weights is None:
        raise BadInput(f"{case.where}: train.after: {case.train.after!r} is not trained with the seed {seed}")
    before = evaluate(case.trainer(seed, weights), case.tests(seed)) if weights is not None else {}
    made, path = case.trainer(seed, weights), None
    if folder is not None:
        path = folder / f"{case.name.replace('/', '-')}, seed {seed}.h5"
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists() and not fresh:
            made.resume(path)
    trained = made.train(progress, path)
    return Outcome(case, seed, trained, evaluate(made, case.tests(seed)), before)


def evaluate(trainer: Trainer, batches: list[Batch]) -> dict[str, float]:
    """Loss and metrics of samples that are run and not learned from; means over the batches."""
    found: dict[str, list[float]] = {}
    for batch in batches:
        gradients = trainer.look(batch)
        for name, value in {"loss": np.asarray(gradients.loss), **gradients.metrics}.items():
            found.setdefault(name, []).append(float(np.mean(value)))
    return {name: float(np.mean(values)) for name, values in found.items()}


def as_json(outcome: Outcome) -> str:
    """What is kept of an outcome beside its checkpoint."""
    trained, ledger = outcome.trained, outcome.trained.ledger
    return json.dumps(
        {
            "chip": outcome.case.name, "seed": outcome.seed, "stopped": trained.stopped, "test": outcome.test,
            "before": outcome.before,
            "per_epoch": {name: trained.per_epoch(name).tolist() for name in trained.history},
            "ledger": vars(ledger), "report": trained.report.as_dict(),
        }
    )  # fmt: skip
