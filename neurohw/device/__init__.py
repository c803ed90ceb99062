"""Devices: types of chips, read from `devices/*.yaml`. A device's first duty is to validate."""

from neurohw.device.device import Device, load_device

__all__ = ["Device", "load_device"]
