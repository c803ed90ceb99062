"""`import neurohw.pynn as sim`: neurohw as a PyNN simulator; see `neurohw.frontends.pynn`."""

from neurohw.frontends.pynn import *  # noqa: F403
from neurohw.frontends.pynn import __all__

__all__ = list(__all__)
