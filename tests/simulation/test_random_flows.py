"""What is drawn at random is right, so that nobody who draws has to look."""

from hypothesis import HealthCheck, given, settings

import dsl
from tests.simulation.random_flows import bundle


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bundle())
def test_any_drawn_bundle_is_right(text: str) -> None:
    found = dsl.check(dsl.read_bundle({"a.flow": text}))
    assert [one for one in found if one.is_error] == []
