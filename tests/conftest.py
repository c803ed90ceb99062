"""Hypothesis draws the same examples in every run, and keeps nothing on disk."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "neurohw",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("neurohw")
