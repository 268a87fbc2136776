"""Whether a record is what its SCHEMA says, and how its values are written for COPY. Pure; no database."""

__all__ = [
    "SHAPES",
    "CompiledRecords",
    "ConversionError",
    "Converter",
    "EncodedRow",
    "Finding",
    "NotAccepted",
    "RecordValidator",
    "RowEncoder",
    "compile_records",
    "converter_for",
    "converter_of",
    "replace_unstorable",
    "to_json",
]

from target_crmdb.validation.compiled import CompiledRecords, NotAccepted, compile_records
from target_crmdb.validation.encoder import EncodedRow, RowEncoder
from target_crmdb.validation.findings import ConversionError, Finding
from target_crmdb.validation.schema import RecordValidator
from target_crmdb.validation.text import replace_unstorable
from target_crmdb.validation.values import SHAPES, Converter, converter_for, converter_of, to_json
