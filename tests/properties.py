"""How many cases the property-based tests try: `--hypothesis-profile` chooses. The same ones each
time: a failure can be had again."""

from hypothesis import HealthCheck, settings

CASES = {"fast": 50, "test": 300, "all": 2000}

for profile, cases in CASES.items():
    settings.register_profile(
        profile,
        max_examples=cases,
        deadline=None,  # a busy machine is no failure
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
settings.load_profile("test")
