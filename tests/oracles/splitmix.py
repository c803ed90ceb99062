"""splitmix64 in whole numbers, after the C source of Steele, Lea & Flood (OOPSLA 2014) by S. Vigna."""

MASK = 2**64 - 1


def bits(key: int, counter: int) -> int:
    """The number `counter` (from 0) of the sequence that starts at `key`."""
    z = (key + (counter + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def uniform(key: int, counter: int) -> float:
    return (bits(key, counter) >> 11) / 2**53
