"""candor.toml and the environment, as one validated value.

Every setting can be given in the environment as CANDOR_<SECTION>__<KEY>; the environment wins. Secrets never stand in the
file: it names the variable or the file that holds them.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any, Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from connector.errors import SettingsError

DEFAULT_FILE = Path("candor.toml")

EVERY_FIELD = "all"
"""The key of crm.tracked_since that speaks for every tracked field."""

Outcome = Literal["open", "won", "lost", "recycled", "never_worked"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CRMSettings(Section):
    kind: Literal["salesforce", "hubspot"]
    url: str = Field(description="the org's address, e.g. https://yourcompany.my.salesforce.com")
    token_env: str = Field("CANDOR_TOKEN", description="the environment variable that holds the token")
    token_file: Path | None = Field(None, description="or the file that holds it")
    ca: Path | None = Field(
        None, description="certificates to trust, where a proxy or a local CRM has its own"
    )
    daily_calls: int | None = Field(None, ge=1, description="API calls a day that Candor never exceeds")
    tracked_since: dict[str, date] = Field(
        default_factory=dict,
        description="lead field (or all) = since when its history is kept, where the history itself begins later",
    )
    options: dict[str, str] = Field(
        default_factory=dict, description="adapter options, e.g. web_activity, login, client_id"
    )

    def token(self) -> str:
        """The secret itself. Raises SettingsError saying where it was looked for."""
        if self.token_file is not None:
            try:
                return self.token_file.read_text().strip()
            except OSError as error:
                raise SettingsError(
                    f"The token file {self.token_file} can't be read: {error.strerror}.",
                    fix="Write the token there, or set crm.token_file in candor.toml.",
                ) from None
        token = os.environ.get(self.token_env, "").strip()
        if not token and "private_key_file" not in self.options:
            raise SettingsError(
                f"No token: the environment variable {self.token_env} is empty.",
                fix=f"Set it: export {self.token_env}=…",
            )
        return token


class StoreSettings(Section):
    data: Path = Field(Path("candor-data"), description="folder of the built-in database, models and reports")
    url: str | None = Field(
        None, description="any PostgreSQL instead of the built-in one (or CANDOR_DATABASE_URL)"
    )


class ExtraField(Section):
    field: str = Field(description="the CRM's own name of the field")
    type: Literal["number", "category", "text", "flag", "date"]
    label: str


class Mapping(Section):
    lead: dict[str, str] = Field(
        default_factory=dict, description="Candor's field = the CRM's field, where not the standard one"
    )
    account: dict[str, str] = Field(default_factory=dict)
    deal: dict[str, str] = Field(default_factory=dict)
    extra: dict[str, ExtraField] = Field(
        default_factory=dict, description="fields of your own that may describe a lead"
    )


class OutcomeSettings(Section):
    target: Literal["won_deal", "conversion"] = "won_deal"
    status: dict[str, Outcome] = Field(
        default_factory=dict, description="your lead statuses = what they mean"
    )


class ScopeRule(Section):
    field: str
    equals: str | None = None
    ends_with: str | None = None
    why: str

    @model_validator(mode="after")
    def _has_a_condition(self) -> ScopeRule:
        if self.equals is None and self.ends_with is None:
            raise ValueError(f"the rule “{self.why}” has no condition: give it equals or ends_with")
        return self


class ScopeSettings(Section):
    exclude: list[ScopeRule] = Field(
        default_factory=list, description="leads that don't count: customers, staff, tests …"
    )
    leave_out: list[str] = Field(
        default_factory=list, description="fields that never feed the model: protected, useless, gamed"
    )
    core: dict[str, list[str]] = Field(
        default_factory=dict, description="field = values of your ideal customer"
    )


class TrainingSettings(Section):
    mode: Literal["as-of", "snapshot"] = "as-of"
    ages_days: list[float] = Field(default=[1, 7, 30, 90, 180], min_length=1)
    doubtful: Literal["use", "leave_out"] | None = Field(
        None,
        description="outcomes that nobody gave one by one (closed in bulk, by an automation): learn from them or not",
    )
    by_revenue: bool = False
    """leads weigh in training by the amount that their deal would bring"""
    seed: int = 0


class WarehouseSettings(Section):
    """Tables of the engine that stand in for what Candor pulled; docs/engines.md has their columns."""

    changes: str | None = Field(None, description="fields' values by time, e.g. crm.changes")
    activities: str | None = Field(None, description="dated activities, e.g. crm.activities")


class ProcessSettings(Section):
    on: bool = Field(
        False,
        description="whether the model may know what was done with a lead, step by step (statuses, tasks, calls)",
    )
    steps: list[str] = Field(
        default_factory=list,
        description='steps that are counted one by one, e.g. "status: working", "call: follow-up"',
    )
    follow: list[str] = Field(
        default=["status"],
        description="kinds of step whose latest one and its age count: status, task, call …",
    )


class ScheduleSettings(Section):
    sync_minutes: float = Field(5, gt=0)
    night_hour: int = Field(2, ge=0, le=23, description="UTC hour at which all open leads are scored anew")
    metrics_weekday: str = "mon"
    retrain_day: int = Field(1, ge=1, le=28)


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="CANDOR_", env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    crm: CRMSettings
    store: StoreSettings = StoreSettings()
    mapping: Mapping = Mapping()
    outcome: OutcomeSettings = OutcomeSettings()
    scope: ScopeSettings = ScopeSettings()
    training: TrainingSettings = TrainingSettings()
    process: ProcessSettings = ProcessSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    engine: str = Field("duckdb", description="where features are computed: docs/engines.md")
    warehouse: WarehouseSettings = WarehouseSettings()
    policy: Path | None = Field(None, description="policy.toml; none: the defaults")
    clock_url: str | None = Field(None, description="a local CRM's clock; none: this machine's")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = cls.model_config.get("toml_file")
        toml = (TomlConfigSettingsSource(settings_cls, Path(str(file))),) if file else ()
        return (init_settings, env_settings, *toml)

    @property
    def database_url(self) -> str | None:
        return os.environ.get("CANDOR_DATABASE_URL") or self.store.url


def load(path: Path | None = None) -> Settings:
    """Read the settings file (default ./candor.toml, or CANDOR_CONFIG). Raises SettingsError naming the key at fault.

    Relative paths in the file are taken from the folder that holds it.
    """
    file = path or Path(os.environ.get("CANDOR_CONFIG", DEFAULT_FILE))
    if not file.exists():
        raise SettingsError(
            f"There is no {file}.", fix="Run `candor init` to make it, or name one with --config."
        )
    try:
        tomlkit.parse(file.read_text())
    except (tomlkit.exceptions.ParseError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{file} is no valid TOML: {error}.", fix="Mend that line.") from None

    class FromFile(Settings):
        model_config = SettingsConfigDict(**{**Settings.model_config, "toml_file": str(file)})

    try:
        settings: Settings = FromFile()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise SettingsError(f"{file}: {where}: {first['msg']}{more}.", fix="Mend that key.") from None
    return _resolved(settings, file.resolve().parent)


def _resolved(settings: Settings, folder: Path) -> Settings:
    def at(path: Path | None) -> Path | None:
        return None if path is None else folder / path

    crm = settings.crm.model_copy(
        update={"ca": at(settings.crm.ca), "token_file": at(settings.crm.token_file)}
    )
    store = settings.store.model_copy(update={"data": at(settings.store.data)})
    scheme, _, file = settings.engine.partition("://")
    engine = f"{scheme}://{folder / file}" if scheme == "duckdb" and file else settings.engine
    return settings.model_copy(
        update={"crm": crm, "store": store, "policy": at(settings.policy), "engine": engine}
    )


def dump(values: dict[str, Any]) -> str:
    """A candor.toml with a line of explanation above each key that has one."""
    document = tomlkit.document()
    document.add(
        tomlkit.comment("Candor's settings. Secrets don't belong here: name the variable that holds them.")
    )
    models: dict[str, type[BaseModel]] = {
        "crm": CRMSettings, "store": StoreSettings, "mapping": Mapping, "outcome": OutcomeSettings,
        "scope": ScopeSettings, "training": TrainingSettings, "process": ProcessSettings, "schedule": ScheduleSettings,
        "warehouse": WarehouseSettings,
    }  # fmt: skip
    for key, value in values.items():
        if key not in models:
            document[key] = value
    for key, value in values.items():
        if key in models:
            table = tomlkit.table()
            for name, item in value.items():
                described = (
                    models[key].model_fields[name].description if name in models[key].model_fields else None
                )
                if described:
                    table.add(tomlkit.comment(described))
                table[name] = item
            document[key] = table
    return tomlkit.dumps(document)
