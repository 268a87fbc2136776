"""Values that look real, values that are damaged, and what a type makes of them."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from target_crmdb.validation.fields import FieldError, FieldType, field_type

if TYPE_CHECKING:
    from collections.abc import Callable

REFUSED = "refused"
# what people, forms and exports put into values: blanks, marks, letters that look alike, digits of other scripts
ODD = (
    " \t\n\r\x00\x7f\u00a0\u200b\u202e\ufeff.,;:@#+-_/\\()[]<>'\"`~!?%&=*^|{}0123456789abcxyzABCXYZ"
    "\u00e9\u00df\u0131\u0130\u017f\u00f8\u65e5\uff11\uff12\u0663\u0664\uff20\u3002\ud800"
)


def normal(name: str, value: Any, **options: Any) -> Any:
    """Give a type's normal form of a value, or REFUSED."""
    return judge(_type(name, json.dumps(options)).normal, value)


@cache
def _type(name: str, options: str) -> FieldType:
    return field_type(name, **json.loads(options))


def judge(function: Callable[[Any], Any], value: Any) -> Any:
    """Give what a function makes of a value, or REFUSED."""
    try:
        return function(value)
    except FieldError:
        return REFUSED


@st.composite
def damaged(draw: st.DrawFn, real: st.SearchStrategy[str]) -> str:
    """Draw a value that is real, or was until a few of its letters were lost, doubled, swapped or replaced."""
    text = draw(real)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(text)))
        text = draw(
            st.sampled_from(
                [
                    text[:place] + draw(st.sampled_from(ODD)) + text[place:],
                    text[:place] + text[place + 1 :],
                    text[:place] + draw(st.sampled_from(ODD)) + text[place + 1 :],
                    text[place:] + text[:place],
                    text[:place] + text[place : place + 1] + text[place:],
                    text.swapcase(),
                ]
            )
        )
    return text
