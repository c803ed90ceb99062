"""What can go wrong, by name. Every message names the thing, the limit and the nearest remedy."""


class NeurohwError(Exception):
    """Anything that neurohw refuses; the command line prints it in one line and exits with status 2."""


class BadInput(NeurohwError):
    """The input is malformed: an unknown key, a missing unit, a wrong shape, NaN, a dangling edge."""


class DoesNotFit(NeurohwError):
    """The network needs more than the device (or this computer) has."""


class Unsupported(NeurohwError):
    """The device, the simulator or the file format has no such thing; the message names the nearest it has."""


class OutOfRange(NeurohwError):
    """A number lies outside the range in which an equation or a device is defined."""


class NotReadable(NeurohwError):
    """The hardware has no way to observe this quantity."""


class NeurohwWarning(UserWarning):
    """Something was read or repaired that the user may not have meant; the message says what to give instead."""


MAX_LINE = 2000
"""Characters of a message that are shown."""


def one_line(message: object) -> str:
    """A message for the terminal: one line, not too long, control characters written out so that none is obeyed."""
    text = " ".join(str(message).split())
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
    return shown if len(shown) <= MAX_LINE else f"{shown[: MAX_LINE - 500]} ... {shown[-500:]}"


def all_reasons(error: type[NeurohwError], subject: str, reasons: list[str]) -> None:
    """Raise `error` with every reason at once, or return if there is none."""
    if reasons:
        raise error(f"{subject}: " + "; ".join(reasons))
