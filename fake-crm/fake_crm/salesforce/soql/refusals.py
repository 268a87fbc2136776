"""How Salesforce words what is wrong with a query: the text, a caret under the place, the place in numbers."""

from __future__ import annotations

from fake_crm.salesforce.errors import ApiError

_AROUND = 40  # characters of the text that are shown before and after the place


def place(text: str, at: int) -> str:
    """The lines that show a place in a query."""
    start = max(0, at - _AROUND)
    shown = text[start : at + _AROUND].replace("\n", " ")
    row = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return f"\n{shown}\n{' ' * (at - start)}^\nERROR at Row:{row}:Column:{column}\n"


def malformed(message: str, text: str = "", at: int | None = None) -> ApiError:
    """400 MALFORMED_QUERY."""
    return ApiError(400, "MALFORMED_QUERY", (place(text, at) if at is not None else "") + message)


def unexpected(token: str, text: str, at: int) -> ApiError:
    """400 for a word that does not belong there."""
    if not token:
        return malformed("unexpected token: '<EOF>'")
    return malformed(f"unexpected token: '{token}'", text, at)


def no_column(name: str, entity: str, text: str, at: int) -> ApiError:
    """400 for a field that there is not."""
    message = (
        f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append "
        "the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate "
        "names."
    )
    return invalid_field(message, text, at)


def no_relation(name: str, text: str, at: int) -> ApiError:
    """400 for a relationship that there is not."""
    message = (
        f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, "
        "be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe "
        "call for the appropriate names."
    )
    return invalid_field(message, text, at)


def invalid_field(message: str, text: str, at: int) -> ApiError:
    """400 INVALID_FIELD."""
    return ApiError(400, "INVALID_FIELD", place(text, at) + message)
