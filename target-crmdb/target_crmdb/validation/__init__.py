"""Whether a record is what its SCHEMA says, and how its values are written for COPY. Pure; no database."""

__all__ = [
    "SHAPES",
    "ConversionError",
    "Converter",
    "EncodedRow",
    "Finding",
    "RecordValidator",
    "RowEncoder",
    "converter_for",
    "converter_of",
    "replace_unstorable",
    "to_json",
]

from target_crmdb.validation.encoder import EncodedRow, RowEncoder
from target_crmdb.validation.findings import ConversionError, Finding
from target_crmdb.validation.schema import RecordValidator
from target_crmdb.validation.text import replace_unstorable
from target_crmdb.validation.values import SHAPES, Converter, converter_for, converter_of, to_json
