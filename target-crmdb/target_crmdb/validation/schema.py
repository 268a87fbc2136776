"""Records against their SCHEMA, compiled once; the verdict is exact and lists every broken rule."""

from collections.abc import Mapping
from typing import Any

import jsonschema_rs
from singer_sdk.exceptions import InvalidRecord
from singer_sdk.sinks.core import BaseJSONSchemaValidator
from typing_extensions import override

from target_crmdb.exceptions import InvalidSchemaError
from target_crmdb.mapping import dotted
from target_crmdb.validation.findings import Finding

_MOST_FINDINGS = 20


class RecordValidator(BaseJSONSchemaValidator):
    """A Draft 7 validator compiled by jsonschema-rs: 1-2 us a record, Decimal and big integers kept exact.

    Formats are not its matter: dates and times are judged where they are written (values.py), others are hints.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        super().__init__(schema)
        try:
            self._compiled = jsonschema_rs.Draft7Validator(dict(schema), validate_formats=False)
        except (jsonschema_rs.ValidationError, ValueError) as error:
            raise InvalidSchemaError(
                "The tap sent a SCHEMA that is not valid JSON schema (draft 7); mend the tap"
            ) from error
        self.accepts = self._compiled.is_valid

    @override
    def validate(self, record: dict[str, Any]) -> None:
        """Raise InvalidRecord, without values, if the record breaks a rule of the schema."""
        if not self.accepts(record):
            raise InvalidRecord("; ".join(map(str, self.findings(record))), {})

    def findings(self, record: Mapping[str, Any]) -> list[Finding]:
        """List the broken rules, each with its field; at most 20."""
        found = []
        for error in self._compiled.iter_errors(record):
            field = dotted(tuple(str(part) for part in error.instance_path))
            rule = str(error.schema_path[-1])
            found.append(Finding(field, rule, _reason(rule)))
            if len(found) == _MOST_FINDINGS:
                break
        return found


def _reason(rule: str) -> str:
    return f"breaks the SCHEMA's rule `{rule}`"
