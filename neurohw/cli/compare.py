"""neurohw compare: reference and chips side by side."""

from neurohw.cli.shared import MappingName, Out, Quiet, Seed, command_line, made, out_folder, progress_bar


def compare(mapping: MappingName, out: Out = None, seed: Seed = 0, quiet: Quiet = False) -> None:
    """Reference and chips side by side: report.html and comparison.json. Example: neurohw compare vogels_abbott"""
    from neurohw.mapping import load_mapping
    from neurohw.study.side_by_side import side_by_side

    loaded = load_mapping(mapping)
    folder = out_folder(out, loaded.path)
    with progress_bar(quiet) as progress:
        result = side_by_side(loaded, seed, command_line(), progress)
    made(folder)
    result.write(folder)
    if not quiet:
        print(result.comparison.verdict)
        for sentence in result.comparison.verdicts.values():
            print(f"  {sentence}")
        print(f"report: {folder / 'report.html'}")
