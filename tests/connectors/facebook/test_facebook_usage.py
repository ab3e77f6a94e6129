from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk_connectors.facebook.usage import HEADERS, read_usage


@pytest.mark.parametrize(
    ("headers", "used", "minutes"),
    [
        ({"x-app-usage": '{"call_count":28,"total_time":25,"total_cputime":25}'}, 0.28, None),
        ({"x-page-usage": '{"call_count":10,"total_time":30,"total_cputime":3}'}, 0.30, None),
        (
            {
                "x-business-use-case-usage": '{"1015550001":[{"type":"pages","call_count":97,"total_cputime":23,'
                '"total_time":23,"estimated_time_to_regain_access":19}]}'
            },
            0.97,
            19,
        ),
        ({"x-page-usage": '{"call_volume":101,"cpu_time":3}'}, 1.01, None),
        (
            {
                "x-business-use-case-usage": '{"1":[{"type":"messenger","call_count":99},'
                '{"type":"pages","call_count":5}]}',
                "x-app-usage": '{"call_count":7}',
            },
            0.07,
            None,
        ),
    ],
)
def test_the_highest_share_counts_and_only_the_pages_own(headers: dict[str, str], used: float, minutes: Any) -> None:
    usage = read_usage(headers)
    assert usage is not None
    assert usage.used == pytest.approx(used)
    assert usage.minutes == minutes
    assert usage.note


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "nonsense", '{"a": "b"}', '{"call_count": null}', "NaN"])
def test_headers_that_tell_nothing_are_nothing(text: str) -> None:
    assert read_usage(dict.fromkeys(HEADERS, text)) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["type", "call_count"]), inner),
    max_leaves=10,
)


@given(st.text() | json_values.map(json.dumps))
def test_no_header_breaks_the_reading(text: str) -> None:
    usage = read_usage({"x-app-usage": text, "x-business-use-case-usage": text})
    assert usage is None or usage.used >= 0
