"""A tap's command line: the SDK's, and two ways to look before a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from singer_sdk import Tap
from typing_extensions import override

from crmdb_core.inspection import inspect, options

if TYPE_CHECKING:
    import click

__all__ = ["InspectableTap"]


class InspectableTap(Tap):
    """A tap that knows `--check` and `--plan` beside `--discover`, `--test` and `--about`."""

    def account_facts(self) -> dict[str, str]:
        """What `--check` says of the account and the credentials: fact by name. Asked after `probe()`."""
        return {}

    def scopes_for(self, error: Exception) -> tuple[str, ...]:  # noqa: ARG002 - for taps whose API names them
        """The scopes, or whatever the API calls them, any one of which would have opened what was refused."""
        return ()

    def check_left_out(self, name: str) -> None:
        """Make the call by which a stream that discovery left out would be read; raises what it is refused with."""

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        command.params.extend(options())
        return command

    @classmethod
    @override
    def invoke(cls, *, check: str | None = None, plan: str | None = None, **arguments: Any) -> None:
        """Look, if an option says so, else what the SDK does: run."""
        if not (check or plan) or arguments.get("about"):
            super().invoke(**arguments)
            return
        config, state, catalog = (arguments.get(name) for name in ("config", "state", "catalog"))
        tap = cls(
            config=config.config if config else None,
            parse_env_config=bool(config and config.parse_env),
            state=_state_in(json.load(state)) if state else None,
            catalog=json.load(catalog) if catalog else None,
        )
        inspect(tap, check=check, plan=plan)  # type: ignore[arg-type]  # every tap of ours is a CrmTap


def _state_in(given: dict[str, Any]) -> dict[str, Any]:
    """The Singer state, bare or as `meltano state get` prints it."""
    return given.get("singer_state") or given
