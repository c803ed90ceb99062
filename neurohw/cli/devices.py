"""neurohw devices: what hardware is described, and is it sound."""

from pathlib import Path
from typing import Annotated

import typer

from neurohw.errors import BadInput

app = typer.Typer(rich_markup_mode=None, help="What hardware is described, and is it sound.")


@app.callback(invoke_without_command=True)
def devices(context: typer.Context) -> None:
    """List the devices. Example: neurohw devices show spinnaker-spin5"""
    if context.invoked_subcommand is None:
        devices_list()


@app.command("list")
def devices_list() -> None:
    """The devices by name, with what they are. Example: neurohw devices list"""
    from neurohw import data_files
    from neurohw.device import load_device

    for name in data_files.names("devices"):
        print(f"{name:20} {load_device(name).summary}")


@app.command("show")
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


@app.command("check")
def devices_check(file: Annotated[str, typer.Argument(help="A device file.")]) -> None:
    """Is a device file sound? Example: neurohw devices check my-device.yaml"""
    from neurohw.device import load_device

    print(f"{load_device(file).name}: sound")


@app.command("fit")
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
