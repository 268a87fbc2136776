"""Currencies by their codes of ISO 4217."""

from typing import Any

from target_crmdb.validation.fields.errors import FieldError
from target_crmdb.validation.fields.text import text_of
from target_crmdb.validation.fields.type import Normal

# withdrawn since 1999 (list three of ISO 4217): a deal keeps the currency that it was closed in
_WITHDRAWN = frozenset({
    "ADP", "AFA", "ANG", "AON", "AOR", "ATS", "AYM", "AZM", "BEF", "BGL", "BGN", "BYB", "BYR", "CHC",
    "CSD", "CUC", "CYP", "DEM", "ECS", "EEK", "ESP", "FIM", "FRF", "GHC", "GRD", "GWP", "HRK", "IEP",
    "ITL", "LTL", "LUF", "LVL", "MGF", "MRO", "MTL", "MZM", "NLG", "PTE", "ROL", "RUR", "SDD", "SIT",
    "SKK", "SLL", "SRG", "STD", "TJR", "TMM", "TPE", "TRL", "USS", "VEB", "VEF", "XFO", "XFU", "YUM",
    "ZMK", "ZWC", "ZWD", "ZWL", "ZWN", "ZWR",
})  # fmt: skip


def currency_type() -> Normal:
    """Give the type of currency codes, in upper case: those of today (iso4217) and those withdrawn since 1999."""
    from iso4217 import Currency  # noqa: PLC0415 - it reads the published table, for those who have such a field

    codes = _WITHDRAWN | {one.code for one in Currency}

    def normal(value: Any) -> str | None:
        if type(value) is str and value in codes:
            return value
        text = text_of(value, "invalid_currency", "is not a text")
        if text is not None and text.upper() not in codes:
            raise FieldError("invalid_currency", "is not a currency's code of three letters (ISO 4217)")
        return text and text.upper()

    return normal
