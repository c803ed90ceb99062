"""Twins of the published device models, plain NumPy with NumPy's own random numbers, written from their descriptions.

Conductance in uS, time in s since the end of programming. Each class keeps what a device keeps.
"""

import numpy as np


class Million:
    """Write-and-verify fit on a million devices (Nandakumar et al., ICECS 2019), for g_max = 25 uS."""

    g_max, t0, t_read = 25.0, 20.0, 250e-9

    def __init__(self, target, n, rng):
        self.rng, self.target = rng, target
        self.g = np.maximum(target + self.sigma(target / self.g_max) * rng.standard_normal(n), 0.0)
        mean, sd = self.exponent(target / self.g_max)
        self.nu = np.abs(mean + sd * rng.standard_normal(n))

    def sigma(self, r):
        return 0.26348 + 1.9650 * r - 1.1731 * r**2

    def exponent(self, r):
        logarithm = np.log(max(r, 1e-7))
        return np.clip(-0.0155 * logarithm + 0.0244, 0.049, 0.1), np.clip(-0.0125 * logarithm - 0.0059, 0.008, 0.045)

    def amplitude(self, r):
        return np.minimum(0.2, 0.0088 / np.maximum(r**0.65, 1e-3))

    def drifted(self, t):
        return self.g * ((t + self.t0) / self.t0) ** -self.nu

    def read(self, t):
        g = self.drifted(t)
        growth = np.sqrt(np.log((t + self.t0 + self.t_read) / (2 * self.t_read)))
        noise = g * self.amplitude(self.g / self.g_max) * growth * self.rng.standard_normal(g.size)
        return np.maximum(g + noise, 0.0)


class Hermes(Million):
    """The HERMES cores, two devices per arm (Le Gallo et al., Nat. Electron. 2023), for g_max = 20.7 uS."""

    g_max, t0, t_read = 20.7, 300.0, 512e-9

    def sigma(self, r):
        return 0.16603222 + 4.71806468 * r - 8.48101252 * r**2 + 4.68961419 * r**3

    def exponent(self, r):
        logarithm = np.log(max(r, 1e-7))
        mean = np.clip(-0.0387 * logarithm - 0.0182, 0.0720, 0.13)
        sd = np.clip(-0.0117 * logarithm - 0.0057, 0.0091, 0.04)
        return (
            mean if r < 0.0945 else -0.0436 * r**2 - 0.0126 * r + 0.0736,
            sd if r < 0.3055 else -0.0118 * r**2 + 0.0093 * r + 0.0073,
        )

    def amplitude(self, r):
        low = np.clip(-0.0117 * np.log(np.maximum(r, 1e-7)) - 0.0069, 0.015, 0.04)
        return np.where(r < 0.16, low, 0.0069 * r**3 - 0.0280 * r**2 + 0.0211 * r + 0.0123)


class SetPulses:
    """SET pulses with programming memory (Nandakumar et al., J. Appl. Phys. 2018; Demirag et al. 2021)."""

    t0, nu = 38.6, 0.04

    def __init__(self, n, rng, g_max=12.0):
        self.rng, self.g_max = rng, g_max
        self.g = np.maximum(0.1 + 0.01 * rng.standard_normal(n), 0.01)
        self.memory = 1.0

    def pulse(self):
        self.memory *= np.exp(-1 / 2.6)
        mean = -0.084 * self.g + 0.880 + 1.40 * self.memory
        sd = 0.091 * self.g + 0.260 + 2.15 * self.memory
        self.g = np.clip(self.g + mean + sd * self.rng.standard_normal(self.g.size), 0.1, self.g_max)

    def drifted(self, t):
        return self.g * (t / self.t0) ** -self.nu

    def read(self, t):
        g = self.drifted(t)
        return np.clip(g + (0.03 * g + 0.13) * self.rng.standard_normal(g.size), 0.1, self.g_max)
