"""neurohw run: the chips of a mapping, recordings on disk."""

from typing import Any

from neurohw.cli.shared import (
    MappingName,
    Out,
    Quiet,
    Seed,
    command_line,
    folder_names,
    made,
    out_folder,
    progress_bar,
    write_json,
)


def run(mapping: MappingName, out: Out = None, seed: Seed = 0, quiet: Quiet = False) -> None:
    """Run the chips, recordings on disk. Example: neurohw run vogels_abbott --out results"""
    from neurohw.mapping import load_mapping
    from neurohw.study import experiment as study
    from neurohw.study.export import export_tables

    loaded = load_mapping(mapping)
    folder = out_folder(out, loaded.path)
    with progress_bar(quiet) as progress:
        experiment = study.prepare(loaded, seed, progress)
        folders = folder_names(experiment.programs)
        manifest = study.manifest(experiment, command_line())

        def finished(chip: str, trial: int, recording: Any) -> None:
            path = made(folder / folders[chip]) / f"trial-{trial}.h5"
            recording.save(path)
            manifest.setdefault("recordings", []).append(path.relative_to(folder).as_posix())
            write_json(folder / "manifest.json", manifest)  # what is there is accounted for, whatever comes next

        for name, chip, recordings in study.run_chips(experiment, progress, finished):
            export_tables(getattr(chip, "tables", dict)(), folder / folders[name])
            if not quiet:
                rates = ", ".join(f"{p} {recordings[0].rate(p):.2f} Hz" for p in recordings[0].spikes)
                print(f"{name}: {rates}")
    if not quiet:
        print(f"recordings in {folder}")
