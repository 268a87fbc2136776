"""The types that a mapping may give a canonical field, each with its normal form. Pure; no database.

`field_type(name, **options)` gives a type; `normal(value)` its normal form: None for null and for an empty text,
FieldError for what is no such value. The error names rule and reason, never the value.
"""

__all__ = ["COLUMN_TYPES", "FIELD_TYPES", "FieldError", "FieldType", "Normal", "field_type", "options_of"]

from target_crmdb.validation.fields.errors import FieldError
from target_crmdb.validation.fields.registry import COLUMN_TYPES, FIELD_TYPES, field_type, options_of
from target_crmdb.validation.fields.type import FieldType, Normal
