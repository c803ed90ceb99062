"""The physical effects by name, as they stand in the `effects:` section of a device file."""

from neurohw.effects.effect import Effect

EFFECTS: dict[str, type[Effect]] = {effect.name: effect for effect in ()}

__all__ = ["EFFECTS", "Effect"]
