"""Phone numbers: the verdict is phonenumbers', common numbers are known to have it without being asked."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from target_crmdb.validation.fields.errors import FieldError, remembering
from target_crmdb.validation.fields.text import text_of
from target_crmdb.validation.fields.type import Forms, Normal, OfTexts

if TYPE_CHECKING:
    from target_crmdb.validation.fields.phone_plans import Plans

_RULE = "invalid_phone"
# marks between digits that mean nothing to the library; anything else may be an extension, a letter, a second number
_MARKS = b" ().-"
_COMMON_LENGTH = 30


def phone_type(country: str = "US") -> Forms:
    """Give the type of phone numbers in E.164; `country` is where those without an international prefix are dialled.

    As Google's library (https://github.com/google/libphonenumber): parsed leniently, then valid by the numbering plan.
    """
    import phonenumbers  # noqa: PLC0415 - 80 ms, for those who have a field of this type

    from target_crmdb.validation.fields.phone_plans import Plans  # noqa: PLC0415 - as above

    region = country.upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"country {country!r} has no phone numbers that are known; give its two letters, such as US")

    @remembering
    def judged(value: str) -> str:
        try:
            number = phonenumbers.parse(value, region)
        except phonenumbers.NumberParseException as error:
            raise FieldError(
                _RULE, f"is not a phone number: {_REASONS.get(error.error_type, 'nothing that is dialled')}"
            ) from None
        if not phonenumbers.is_valid_number(number):
            raise FieldError(_RULE, "is a phone number that no numbering plan has")
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    plans = Plans(region)
    return Forms(_normal(plans, judged), of_texts=_of_texts(plans))


# phonenumbers.NumberParseException, by its numbers; its own words may quote the value
_REASONS = {
    0: "its country code is unknown",
    1: "it has too few digits",
    2: "it is too short behind the international prefix",
    3: "it is too short",
    4: "it is too long",
}


def _normal(plans: "Plans", judged: Callable[[str], str]) -> Normal:
    international, national, is_common = plans.international, plans.national, plans.is_common

    def normal(value: Any) -> str | None:
        if type(value) is str and value.isascii() and len(value) <= _COMMON_LENGTH:
            digits = value.encode().translate(None, _MARKS).decode()  # by way of bytes in half the time
            if digits.isdigit():
                found = national(digits)
                if found is not None:
                    return found
            elif digits[:1] == "+" and (is_common(digits) or (digits[1:].isdigit() and international(digits[1:]))):
                return digits
        elif type(value) is int:  # a number that was typed into a field for numbers
            return judged(str(value))
        text = text_of(value, _RULE, "is not a text")
        return None if text is None else judged(text)

    return normal


def _of_texts(plans: "Plans") -> OfTexts:
    """Recognize the numbers of the region itself: dialled within it as they are, or with a plus and its code."""
    prefix, is_common = f"+{plans.code}", plans.is_common

    def of_texts(values: Sequence[str]) -> Sequence[str | None]:
        text = "\n".join(values)
        if not text.isascii() or text.count("\n") != len(values) - 1:
            return [None] * len(values)
        dialled = text.encode().translate(None, _MARKS).decode().split("\n")
        return [(one if one[0] == "+" else prefix + one) if is_common(one) else None for one in dialled]

    return of_texts
