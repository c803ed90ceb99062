"""neurohw ablate: what each non-ideality costs."""

from neurohw.cli.shared import MappingName, Out, Quiet, Seed, command_line, made, out_folder, progress_bar


def ablate(mapping: MappingName, out: Out = None, seed: Seed = 0, quiet: Quiet = False) -> None:
    """What each non-ideality costs, alone and left out. Example: neurohw ablate digits"""
    from neurohw.mapping import load_mapping
    from neurohw.study.ablate import ablate as run_all
    from neurohw.study.experiment import provenance

    loaded = load_mapping(mapping)
    folder = out_folder(out, loaded.path)
    with progress_bar(quiet) as progress:
        result = run_all(loaded, seed, progress)
    made(folder)
    result.write(folder, provenance(loaded, command_line()))
    if not quiet:
        print(f"{result}\n{folder / 'ablation.json'}")
