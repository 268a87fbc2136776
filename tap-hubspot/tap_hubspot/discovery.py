"""What of an account can be read: objects that are switched on and open to the key, custom ones included.

It takes four calls and one for each standard object that is switched on, eight at a time. Custom objects cost nothing
more: their schemas come with their properties. With a catalog the objects in it are taken as open, and only what the
catalog cannot tell is asked: the object library, and the type ids of custom objects.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import ApiError, ForbiddenError, NotFoundError
from tap_hubspot.objects import CRM_OBJECTS, custom_objects, is_of_custom_object

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from tap_hubspot.definitions import Definitions
    from tap_hubspot.keyset import Api
    from tap_hubspot.objects import CrmObject
    from tap_hubspot.paths import Paths
    from tap_hubspot.tap import TapHubSpot

    Json = dict[str, Any]

_SIDE_BY_SIDE = 8
# unverified: how HubSpot refuses the properties of a type that is not switched on; an unknown type is 400 (observed)
_ABSENT = (400, 404)
_OVER_ALL = frozenset({"properties", "pipeline_stages"})
_GONE = "there is no such custom object any more; discover anew, or deselect it"


@dataclass
class Found:
    """The objects that can be read, and why others cannot."""

    objects: list[CrmObject] = field(default_factory=list)
    switched_off: list[str] = field(default_factory=list)
    forbidden: dict[str, ForbiddenError] = field(default_factory=dict)
    """What the key may not read: objects, `custom objects`, and further streams that were tried."""
    gone: list[str] = field(default_factory=list)
    """Streams of a catalog whose custom object is not there any more."""


@dataclass(frozen=True)
class Discovery:
    """Finds what can be read. `trials` make a call of other streams that take a scope of their own, by name."""

    api: Api
    paths: Paths
    definitions: Definitions
    trials: Mapping[str, Callable[[], object]] = field(default_factory=dict)

    def all(self) -> Found:
        """Everything that is open."""
        found = Found()
        asked = [lambda: self._library, lambda: self._schemas(found), *self._trials(found)]
        states, schemas, *_ = self._side_by_side(lambda ask: ask(), asked)
        for schema in schemas:
            self.definitions.keep(str(schema["objectTypeId"]), schema.get("properties") or ())
        wanted = [*_on(CRM_OBJECTS, states, found), *custom_objects(schemas)]
        for each, outcome in zip(wanted, self._side_by_side(self._tried, wanted), strict=True):
            _note(found, each, outcome)
        return found

    def types(self) -> list[CrmObject]:
        """The object types that the account has, open to the key or not: two calls."""
        found = Found()
        return [*_on(CRM_OBJECTS, self._library, found), *custom_objects(self._schemas(found))]

    def of_catalog(self, names: Collection[str]) -> Found:
        """The objects of a catalog's streams; all, if it has no stream of an object but one that goes over them all."""
        found = Found()
        standard = [each for each in CRM_OBJECTS if each.name in names or each.pipelines in names]
        custom = {name for name in names if is_of_custom_object(name)}
        everything = not standard and not custom and not _OVER_ALL.isdisjoint(names)
        if everything:
            standard = list(CRM_OBJECTS)
        states = self._library if any(not each.is_main for each in standard) else {}
        found.objects += _on(standard, states, found)
        if custom or everything:
            known = custom_objects(self._schemas(found))
            found.objects += [each for each in known if everything or not custom.isdisjoint(each.streams)]
            found.gone += sorted(custom.difference(*(each.streams for each in known)))
        return found

    @functools.cached_property
    def _library(self) -> Mapping[str, bool]:
        """Which of the object types that can be switched off are on, by type id (vendor page "Object library")."""
        try:
            answer = self.api.get_json(self.paths.object_library)
        except (ForbiddenError, NotFoundError):
            return {}  # then each object is simply tried
        return dict(answer["enablementByObjectTypeId"])

    def _schemas(self, found: Found) -> list[Json]:
        """The account's custom objects with their properties."""
        if isinstance(self._custom, ForbiddenError):
            found.forbidden["custom objects"] = self._custom
            return []
        return self._custom

    @functools.cached_property
    def _custom(self) -> list[Json] | ForbiddenError:
        try:
            return list(self.api.get_json(self.paths.schemas)["results"])
        except ForbiddenError as error:
            return error
        except NotFoundError:
            return []  # an account without custom objects

    def _trials(self, found: Found) -> Iterator[Callable[[], None]]:
        for name, ask in self.trials.items():
            yield functools.partial(_try, found, name, ask)

    def _tried(self, crm_object: CrmObject) -> list[Json] | ApiError:
        """The definitions of an object, or the refusal."""
        try:
            return self.definitions.live(crm_object.path)
        except ApiError as error:
            if error.stops_run:
                raise
            return error

    @staticmethod
    def _side_by_side(ask: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        return list(in_order(ask, items, workers=_SIDE_BY_SIDE))


def _on(objects: Iterable[CrmObject], states: Mapping[str, bool], found: Found) -> list[CrmObject]:
    """Those that are not switched off; the others are noted."""
    listed = list(objects)
    found.switched_off += [each.name for each in listed if not states.get(each.type_id, True)]
    return [each for each in listed if states.get(each.type_id, True)]


def _try(found: Found, name: str, ask: Callable[[], object]) -> None:
    try:
        ask()
    except ForbiddenError as error:
        found.forbidden[name] = error
    except NotFoundError:
        found.switched_off.append(name)


def _note(found: Found, crm_object: CrmObject, outcome: list[Json] | ApiError) -> None:
    if isinstance(outcome, ForbiddenError):
        found.forbidden[crm_object.name] = outcome
    elif isinstance(outcome, ApiError):
        if crm_object.is_main or outcome.status not in _ABSENT:
            raise outcome
        found.switched_off.append(crm_object.name)
    else:
        found.objects.append(crm_object.described_by(outcome))


def find(tap: TapHubSpot, discovery: Discovery) -> Found:
    """What this run can read; the rest is told in a line or two.

    Without a catalog nobody has chosen: then only contacts, companies, deals and tickets have to be readable. What a
    catalog names has to be.
    """
    catalog = tap.input_catalog
    chosen = [] if catalog is None else [name for name in catalog if tap.is_selected(name)]
    found = discovery.all() if catalog is None else discovery.of_catalog(chosen)
    if found.switched_off:
        tap.logger.info("not switched on in this account, left out: %s", ", ".join(found.switched_off))
    if catalog is None:
        _tell_forbidden(tap, found)
    for name in found.gone:
        tap.leave_out(name, found.forbidden.get("custom objects") or NotFoundError(_GONE))
    return found


def _tell_forbidden(tap: TapHubSpot, found: Found) -> None:
    main = {each.name for each in CRM_OBJECTS if each.is_main}
    for name in main.intersection(found.forbidden):
        tap.leave_out(name, found.forbidden[name])
    rest = [name for name in found.forbidden if name not in main]
    if rest:
        tap.logger.warning(
            "left out, for the key or app lacks their scopes: %s; add those scopes if you want them", ", ".join(rest)
        )
