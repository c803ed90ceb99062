"""neurohw calibrate: what a specimen is, measured through its public face."""

from neurohw.cli.shared import MappingName, Out, Quiet, folder_names, made, out_folder, progress_bar


def calibrate(mapping: MappingName, out: Out = None, quiet: Quiet = False) -> None:
    """Measure the specimens of a mapping through their public face. Example: neurohw calibrate calibrated_chip"""
    from neurohw.calibrate import calibrate as measure
    from neurohw.errors import Unsupported
    from neurohw.mapping import load_mapping

    loaded = load_mapping(mapping)
    folder, chips = out_folder(out, loaded.path), loaded.devices()
    with_codes = {name: pair for name, pair in chips.items() if pair[1].effect("parameter_codes") is not None}
    if not with_codes:
        named = ", ".join(chips) or "none"
        raise Unsupported(
            f"{loaded.path}: no chip whose parameters have codes, such as brainscales2-chip; it has {named}"
        )
    folders = folder_names(with_codes)
    for name, (entry, device) in with_codes.items():
        with progress_bar(quiet) as progress:
            found = measure(device, entry.seed, progress=progress)
        found.save(made(folder) / f"{folders[name]}.calibration.h5")
        if not quiet:
            print(found)
            print(f"saved as {folder / folders[name]}.calibration.h5; give it to the chip as `calibration:`")
