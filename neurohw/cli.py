"""The command line. Exit status: 0 done, 1 a difference was found, 2 bad input (one line on stderr), 130 interrupted."""

import itertools
import json
import shlex
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from neurohw import __version__
from neurohw.errors import BadInput, NeurohwError, NeurohwWarning, one_line

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
devices_app = typer.Typer(rich_markup_mode=None, help="What hardware is described, and is it sound.")
app.add_typer(devices_app, name="devices")

INTERRUPTED = 130

Out = Annotated[Path | None, typer.Option("--out", help="Folder for results; by default out/NAME.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**62, help="The first trial's seed.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar, no summary.")]
MappingName = Annotated[str, typer.Argument(metavar="MAPPING", help="A name in mappings/ or a file.")]


def main() -> None:
    """Run a command; turn every error of ours into one line and an exit status."""
    warnings.showwarning = _show_warning
    try:
        status = app(args=sys.argv[1:] or ["--help"], prog_name="neurohw", standalone_mode=False)
    except NeurohwError as error:
        status = _fail(error)
    except MemoryError:
        status = _fail("out of memory; make the network smaller or record less")
    except OSError as error:
        status = _fail(f"{error.strerror}: {error.filename}" if error.filename else error)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except Exception as error:
        if not hasattr(error, "format_message"):  # what typer raises for a command that is not understood
            raise
        status = _fail(f"{error.format_message().rstrip('.')}; see {_command_of(error)} --help")
    if status == INTERRUPTED:
        _fail("interrupted; no file was left half-written")
    sys.exit(status if isinstance(status, int) else 0)


def _fail(error: Any) -> int:
    print(f"neurohw: {one_line(error)}", file=sys.stderr)
    return 2


def _command_of(error: Any) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context else "neurohw"


def _show_warning(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
    """A warning of ours in one line; of others as Python shows it."""
    ours = issubclass(category, NeurohwWarning)
    text = (
        f"neurohw: warning: {one_line(message)}\n"
        if ours
        else warnings.formatwarning(message, category, filename, lineno, line)
    )
    (file or sys.stderr).write(text)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """One spiking network, many kinds of neuromorphic hardware, held against a reference."""
    if version:
        print(__version__)
        raise typer.Exit


@devices_app.callback(invoke_without_command=True)
def devices(context: typer.Context) -> None:
    """List the devices. Example: neurohw devices show spinnaker-spin5"""
    if context.invoked_subcommand is None:
        devices_list()


@devices_app.command("list")
def devices_list() -> None:
    """The devices by name, with what they are. Example: neurohw devices list"""
    from neurohw import data_files
    from neurohw.device import load_device

    for name in data_files.names("devices"):
        print(f"{name:20} {load_device(name).summary}")


@devices_app.command("show")
def devices_show(name: Annotated[str, typer.Argument(help="A name in devices/ or a file.")]) -> None:
    """Every number of a device, with unit, status and source. Example: neurohw devices show pcm-million"""
    from neurohw.device import load_device
    from neurohw.device.device import numbers_of

    device = load_device(name)
    print(
        f"{device.name}: {device.summary}\nsubstrate: {device.substrate}\nneurons: {', '.join(device.supports.neurons)}"
    )
    print(f"delays: {device.supports.delays}\neffects: {', '.join(e.name for e in device.effects) or 'none'}")
    parts = {"machine": device.machine, "energy": device.energy, "power": device.power}
    parts |= {f"effects.{effect.name}": effect for effect in device.effects}
    for part, inside in parts.items():
        for place, number in numbers_of(inside):
            print(f"  {part}.{place} = {number.text}  [{number.status}: {number.source}]")
    for key, citation in device.sources.items():
        print(f"  {key}: {citation}")


@devices_app.command("check")
def devices_check(file: Annotated[str, typer.Argument(help="A device file.")]) -> None:
    """Is a device file sound? Example: neurohw devices check my-device.yaml"""
    from neurohw.device import load_device

    print(f"{load_device(file).name}: sound")


@devices_app.command("fit")
def devices_fit(
    data: Annotated[
        Path, typer.Argument(metavar="DATA.csv", help="Columns device, target_uS, time_s, conductance_uS.")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="The device file; by default DATA.yaml here.")] = None,
    base: Annotated[str, typer.Option("--base", help="The device that all else is taken from.")] = "pcm-million",
) -> None:
    """A device file, and a picture, from measured data. Example: neurohw devices fit measured.csv --out my-pcm.yaml"""
    from neurohw.study.fit_devices import fit, write_device

    path = out or Path(f"{data.stem}.yaml")
    if path.suffix not in (".yaml", ".yml"):
        raise BadInput(f"--out {path}: a device file ends in .yaml")
    if path.exists():
        raise BadInput(f"{path}: exists already; give another name with --out")
    found = fit(data)
    write_device(found, path, base)
    print(found)
    print(f"wrote {path} and {path.with_suffix('.png')}; next: neurohw devices show {path}")


@app.command("map")
def map_(
    mapping: MappingName,
    export: Annotated[Path | None, typer.Option("--export", help="Write tables here.")] = None,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Map only: resources, losses, predicted time, memory and energy. Example: neurohw map vogels_abbott"""
    from neurohw.mapping import load_mapping
    from neurohw.study.experiment import predicted, prepare
    from neurohw.study.export import export_program

    if export is not None:
        _check_writable(export, "--export")
    with _progress(quiet) as progress:
        experiment = prepare(load_mapping(mapping), seed, progress)
    folders = _folders(experiment.programs)
    for name, (_, program) in experiment.programs.items():
        if not quiet:
            print(f"{name}\n{program.report}\n{predicted(experiment, program)}\n")
        if export is not None:
            export_program(program, export / folders[name])


@app.command()
def run(mapping: MappingName, out: Out = None, seed: Seed = 0, quiet: Quiet = False) -> None:
    """Run the chips, recordings on disk. Example: neurohw run vogels_abbott --out results"""
    from neurohw.mapping import load_mapping
    from neurohw.study import experiment as study
    from neurohw.study.export import export_tables

    loaded = load_mapping(mapping)
    folder = _out(out, loaded.path)
    with _progress(quiet) as progress:
        experiment = study.prepare(loaded, seed, progress)
        folders = _folders(experiment.programs)
        manifest = study.manifest(experiment, shlex.join(["neurohw", *sys.argv[1:]]))

        def finished(chip: str, trial: int, recording: Any) -> None:
            path = _made(folder / folders[chip]) / f"trial-{trial}.h5"
            recording.save(path)
            manifest.setdefault("recordings", []).append(path.relative_to(folder).as_posix())
            _write_json(folder / "manifest.json", manifest)  # what is there is accounted for, whatever comes next

        for name, chip, recordings in study.run_chips(experiment, progress, finished):
            export_tables(getattr(chip, "tables", dict)(), folder / folders[name])
            if not quiet:
                rates = ", ".join(f"{p} {recordings[0].rate(p):.2f} Hz" for p in recordings[0].spikes)
                print(f"{name}: {rates}")
    if not quiet:
        print(f"recordings in {folder}")


@app.command()
def compare(mapping: MappingName, out: Out = None, seed: Seed = 0, quiet: Quiet = False) -> None:
    """Reference and chips side by side: report.html and comparison.json. Example: neurohw compare vogels_abbott"""
    from neurohw.mapping import load_mapping
    from neurohw.study.side_by_side import side_by_side

    loaded = load_mapping(mapping)
    folder = _out(out, loaded.path)
    with _progress(quiet) as progress:
        result = side_by_side(loaded, seed, shlex.join(["neurohw", *sys.argv[1:]]), progress)
    _made(folder)
    result.write(folder)
    if not quiet:
        print(result.comparison.verdict)
        for sentence in result.comparison.verdicts.values():
            print(f"  {sentence}")
        print(f"report: {folder / 'report.html'}")


@app.command()
def calibrate(mapping: MappingName, out: Out = None, quiet: Quiet = False) -> None:
    """Measure the specimens of a mapping through their public face. Example: neurohw calibrate calibrated_chip"""
    from neurohw.calibrate import calibrate as measure
    from neurohw.errors import Unsupported
    from neurohw.mapping import load_mapping

    loaded = load_mapping(mapping)
    folder, chips = _out(out, loaded.path), loaded.devices()
    with_codes = {name: pair for name, pair in chips.items() if pair[1].effect("parameter_codes") is not None}
    if not with_codes:
        named = ", ".join(chips) or "none"
        raise Unsupported(
            f"{loaded.path}: no chip whose parameters have codes, such as brainscales2-chip; it has {named}"
        )
    folders = _folders(with_codes)
    for name, (entry, device) in with_codes.items():
        with _progress(quiet) as progress:
            found = measure(device, entry.seed, progress=progress)
        found.save(_made(folder) / f"{folders[name]}.calibration.h5")
        if not quiet:
            print(found)
            print(f"saved as {folder / folders[name]}.calibration.h5; give it to the chip as `calibration:`")


@app.command()
def train(
    mapping: MappingName,
    out: Out = None,
    quiet: Quiet = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, whatever checkpoints there are.")] = False,
) -> None:
    """Learn with the chip in the loop; interrupted, it goes on where it stopped. Example: neurohw train pattern_pcm"""
    from neurohw.mapping import load_mapping
    from neurohw.study.training import train as learn

    loaded = load_mapping(mapping)
    folder = _out(out, loaded.path)
    with _progress(quiet) as progress:
        found = learn(loaded, folder / "checkpoints", progress, fresh)
    found.write(folder, shlex.join(["neurohw", *sys.argv[1:]]))
    if not quiet:
        print(found)
        print(f"report: {folder / 'report.html'}")


@app.command()
def sweep(
    mapping: MappingName,
    out: Out = None,
    seed: Seed = 0,
    quiet: Quiet = False,
    workers: Annotated[int, typer.Option("--workers", min=1, max=1024, help="Processes on this computer.")] = 1,
    scheduler: Annotated[str | None, typer.Option("--scheduler", help="Address of a Dask scheduler, instead.")] = None,
) -> None:
    """Vary numbers over specimens: sweep.csv, sweep.json, sweep.png; resumable. Example: neurohw sweep synfire_distortion"""
    from neurohw.mapping import load_mapping
    from neurohw.study.experiment import provenance
    from neurohw.study.sweep import sweep as run_all
    from neurohw.study.sweep_points import points

    loaded = load_mapping(mapping)
    points(loaded)
    folder = _out(out, loaded.path)
    with _progress(quiet) as progress:
        result = run_all(loaded, folder, seed, workers, scheduler, progress)
    result.write(folder, provenance(loaded, shlex.join(["neurohw", *sys.argv[1:]])))
    if not quiet:
        print(f"{len(result.results)} points, {len(result.problems)} refused; {folder / 'sweep.csv'}")
    for problem in result.problems[:3]:
        print(f"neurohw: refused: {one_line(problem.problem)}", file=sys.stderr)
    if len(result.problems) == len(result.results):
        raise typer.Exit(2)


@app.command()
def ablate(mapping: MappingName, out: Out = None, seed: Seed = 0, quiet: Quiet = False) -> None:
    """What each non-ideality costs, alone and left out. Example: neurohw ablate digits"""
    from neurohw.mapping import load_mapping
    from neurohw.study.ablate import ablate as run_all
    from neurohw.study.experiment import provenance

    loaded = load_mapping(mapping)
    folder = _out(out, loaded.path)
    with _progress(quiet) as progress:
        result = run_all(loaded, seed, progress)
    _made(folder)
    result.write(folder, provenance(loaded, shlex.join(["neurohw", *sys.argv[1:]])))
    if not quiet:
        print(f"{result}\n{folder / 'ablation.json'}")


@app.command()
def verify(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Traces (.json with .npz), tables (.csv), or folders.")
    ],
    quiet: Annotated[bool, typer.Option("--quiet", help="Only differences and the summary.")] = False,
) -> None:
    """Recorded traces and device tables held against the emulator: exact, or what differs. Example: neurohw verify recordings/"""
    from neurohw.study.verify import summary
    from neurohw.study.verify import verify as hold

    with _progress(quiet) as progress:
        found = hold(paths, progress)
    for one in found:
        if one.problem or one.difference is not None or not quiet:
            print(_printable(one), file=sys.stderr if one.problem else sys.stdout)
    print(summary(found))
    if any(one.problem for one in found) or not any(one.known for one in found):
        raise typer.Exit(2)
    if any(one.difference is not None for one in found):
        raise typer.Exit(1)


@app.command()
def init(name: Annotated[str, typer.Argument(help="The file to write.")] = "experiment.yaml") -> None:
    """A commented mapping file to start from. Example: neurohw init my-experiment.yaml"""
    from neurohw import data_files
    from neurohw.files import atomically

    if not name.strip():
        raise BadInput("init: the file needs a name, such as experiment.yaml")
    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    if path.exists():
        raise BadInput(f"{path}: exists already; give another name")
    with atomically(path) as temporary:
        temporary.write_text(data_files.find("mappings", "template").read_text(encoding="utf-8"), encoding="utf-8")
    print(f"wrote {path}; next: neurohw compare {path}")


@app.command("pynn", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def pynn(
    context: typer.Context,
    script: Annotated[Path, typer.Argument(help="A PyNN script.")],
    device: Annotated[str, typer.Option("--device", help="A name in devices/ or a file.")] = "reference",
) -> None:
    """Run an unmodified PyNN script on a chip. Example: neurohw pynn script.py --device spinnaker-spin5"""
    from neurohw.frontends.pynn.capture import run_script

    print(run_script(script, context.args, device=device), file=sys.stderr)


def _out(out: Path | None, mapping: Path) -> Path:
    folder = out or Path("out") / mapping.stem
    _check_writable(folder, "--out")
    return folder


def _check_writable(folder: Path, option: str) -> None:
    """Whether results can be written into a folder, found out before they are computed; it is not made yet."""
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not existing.is_dir():
        raise BadInput(f"{option} {folder}: {existing} is a file; give a folder")
    try:
        with tempfile.TemporaryDirectory(dir=existing, prefix=".neurohw-"):
            pass
    except OSError as error:
        raise BadInput(f"{option} {folder}: cannot write there ({error.strerror}); give another folder") from None


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _folders(names: Iterable[str]) -> dict[str, str]:
    """A folder for each chip, with its name as far as every file system takes it."""
    found: dict[str, str] = {}
    for name in names:
        plain = (
            "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in name[:80]).lstrip(".") or "chip"
        )
        taken = {folder.lower() for folder in found.values()}
        numbered = (plain if k == 1 else f"{plain}-{k}" for k in itertools.count(1))
        found[name] = next(folder for folder in numbered if folder.lower() not in taken)
    return found


def _write_json(path: Path, data: Any) -> None:
    from neurohw.files import atomically

    _made(path.parent)
    with atomically(path) as temporary:
        temporary.write_text(json.dumps(data, indent=2, allow_nan=False), encoding="utf-8")


def _printable(thing: Any) -> str:
    """As text that no terminal takes for commands: file names and keys come from others."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(thing))


@contextmanager
def _progress(quiet: bool) -> Iterator[Any]:
    if quiet:
        yield lambda what, share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    hidden, both = not console.is_terminal, sys.stdout.isatty()  # where stdout is a file, it keeps what is for it
    with Progress(*columns, console=console, transient=True, disable=hidden, redirect_stdout=both) as bar:
        task = bar.add_task("starting", total=1.0)

        def show(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share)

        yield show


if __name__ == "__main__":
    main()
