"""Setting up a service in the UI: where it is, how we are let in, and both again when they change."""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any, override

import probatio
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_SSL,
    CONF_TOKEN,
    CONF_URL,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
)
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.mqtt import MqttServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from yarl import URL

from .client import (
    ApiError,
    CannotConnect,
    CertificateRefused,
    Forbidden,
    InvalidAnswer,
    InvalidAuth,
    LivecamClient,
    NotFound,
    ServiceInfo,
    Throttled,
    Unavailable,
    basic_auth,
)
from .const import API_VERSION, DEFAULT_PORT, DOMAIN
from .helpers import client_for

_LOGGER = logging.getLogger(__name__)

_TOKEN_NAME = "homeassistant"  # noqa: S105 - what the token is called
_HOST = re.compile(r"[\w.:%-]+")
_SECRET = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password"))
_USER = TextSelector(TextSelectorConfig(autocomplete="username"))


class LivecamConfigFlow(ConfigFlow, domain=DOMAIN):
    """One run through the dialog."""

    VERSION = 1

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._url = ""
        self._verify_ssl = True
        self._token = ""
        self._name = ""
        self._expected: str | None = None
        """The installation that was discovered; no other one is to be set up by mistake."""

    # Where it is

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Somebody types an address."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = await self._reach_typed(user_input)
            if not errors:
                return await self.async_step_access()
        return self.async_show_form(step_id="user", data_schema=self._where(user_input), errors=errors)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Another address; the token stays as long as it is good there."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = await self._reach_typed(user_input)
            if not errors:
                self._name = entry.title
                result, errors = await self._let_in(entry.data[CONF_TOKEN])
                return result if result is not None else await self.async_step_access()
        else:
            self._take(entry)
        return self.async_show_form(step_id="reconfigure", data_schema=self._where(user_input), errors=errors)

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """The service announces itself in the network."""
        about = discovery_info.properties
        port = discovery_info.port or DEFAULT_PORT
        url = URL.build(scheme="https" if about.get("https") == "1" else "http", host=discovery_info.host, port=port)
        return await self._discovered(about.get("id"), about.get("api"), about.get("name"), str(url))

    @override
    async def async_step_mqtt(self, discovery_info: MqttServiceInfo) -> ConfigFlowResult:
        """The service announces itself at the broker."""
        try:
            about = json.loads(discovery_info.payload)
        except ValueError:
            about = None
        if not isinstance(about, dict):
            return self.async_abort(reason="invalid_discovery_info")
        return await self._discovered(about.get("install_id"), about.get("api"), about.get("name"), about.get("url"))

    @override
    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        """The service runs as an app of this Home Assistant, which brings a token."""
        about = discovery_info.config
        try:
            scheme = "https" if about.get("ssl") else "http"
            self._url = str(URL.build(scheme=scheme, host=about["host"], port=int(about["port"])))
            self._token = str(about["token"])
        except KeyError, TypeError, ValueError:
            return self.async_abort(reason="invalid_discovery_info")
        self._verify_ssl = False  # it is this machine, whatever name its certificate has
        try:
            info = await self._client(self._token).info()
        except ApiError as error:
            return self.async_abort(reason=_reason(error))
        self._name = info.name
        updates = {CONF_URL: self._url, CONF_TOKEN: self._token, CONF_VERIFY_SSL: False}
        await self.async_set_unique_id(info.install_id)
        self._abort_if_unique_id_configured(updates=updates)
        self.context["title_placeholders"] = {"name": info.name}
        return await self.async_step_hassio_confirm()

    async def async_step_hassio_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Somebody agrees."""
        errors: dict[str, str] = {}
        if user_input is not None:
            result, errors = await self._let_in(self._token)
            if result is not None:
                return result
        return self.async_show_form(
            step_id="hassio_confirm", description_placeholders={"name": self._name}, errors=errors
        )

    async def async_step_discovery_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Somebody agrees that what was discovered is set up."""
        errors: dict[str, str] = {}
        encrypted = URL(self._url).scheme == "https"
        if user_input is not None:
            self._verify_ssl = user_input.get(CONF_VERIFY_SSL, True)
            errors = await self._reach()
            if not errors:
                return await self.async_step_access()
            if "cannot_connect" in errors.values():
                # The name by which it calls itself may be known to nobody else.
                return self.async_show_form(step_id="user", data_schema=self._where(None), errors=errors)
        fields = {probatio.Required(CONF_VERIFY_SSL, default=self._verify_ssl): bool} if encrypted else {}
        return self.async_show_form(
            step_id="discovery_confirm",
            data_schema=probatio.Schema(fields),
            description_placeholders={"name": self._name, "url": self._url},
            errors=errors,
        )

    # How we are let in

    async def async_step_access(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """By a token that somebody has, or by one that we make."""
        del user_input
        return self._menu("access")

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """The token is no longer valid."""
        del entry_data
        self._take(self._get_reauth_entry())
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Another token, or a new one."""
        del user_input
        return self._menu("reauth_confirm")

    async def async_step_token(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Somebody has a token."""
        errors: dict[str, str] = {}
        if user_input is not None:
            result, errors = await self._let_in(user_input[CONF_TOKEN].strip())
            if result is not None:
                return result
        return self.async_show_form(
            step_id="token",
            data_schema=probatio.Schema({probatio.Required(CONF_TOKEN): _SECRET}),
            description_placeholders={"url": self._url},
            errors=errors,
        )

    async def async_step_password(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """An admin signs in, so that a token can be made; the password is forgotten again."""
        errors: dict[str, str] = {}
        if user_input is not None:
            result, errors = await self._sign_in(user_input[CONF_USERNAME], user_input[CONF_PASSWORD])
            if result is not None:
                return result
        fields = {probatio.Required(CONF_USERNAME): _USER, probatio.Required(CONF_PASSWORD): _SECRET}
        return self.async_show_form(
            step_id="password",
            data_schema=self.add_suggested_values_to_schema(
                probatio.Schema(fields), {CONF_USERNAME: (user_input or {}).get(CONF_USERNAME)}
            ),
            errors=errors,
        )

    # What the steps share

    async def _discovered(self, install_id: object, api: object, name: object, url: object) -> ConfigFlowResult:
        if not isinstance(install_id, str) or not install_id:
            return self.async_abort(reason="invalid_discovery_info")
        self._url = _proper_url(url) if isinstance(url, str) else ""
        self._name = name if isinstance(name, str) and name else "livecam-nvr"
        self._expected = install_id
        entry = await self.async_set_unique_id(install_id)
        # While it is connected, its address is right, whatever other addresses the service has.
        if entry is not None and _is_connected(entry):
            return self.async_abort(reason="already_configured")
        self._abort_if_unique_id_configured(updates={CONF_URL: self._url} if self._url else None)
        if str(api) != str(API_VERSION):
            return self.async_abort(reason="api_version")
        self.context["title_placeholders"] = {"name": self._name}
        return await (self.async_step_discovery_confirm() if self._url else self.async_step_user())

    async def _reach_typed(self, typed: Mapping[str, Any]) -> dict[str, str]:
        self._url = _typed_url(typed[CONF_HOST], int(typed[CONF_PORT]), typed[CONF_SSL])
        self._verify_ssl = typed[CONF_VERIFY_SSL]
        return await self._reach() if self._url else {CONF_HOST: "invalid_host"}

    async def _reach(self) -> dict[str, str]:
        """Whether there is a service at the address."""
        try:
            await self._client("").session()
        except ApiError as error:
            return {"base": _reason(error)}
        return {}

    async def _let_in(self, token: str) -> tuple[ConfigFlowResult | None, dict[str, str]]:
        """The end of the dialog, or what is wrong with the token."""
        client = self._client(token)
        try:
            session = await client.session()
            if not session.may_operate:
                return None, {"base": "not_operator"}
            info = await client.info()
        except ApiError as error:
            return None, {"base": _reason(error)}
        refused = await self._demand_right(info)
        return refused or self._end(info, token), {}

    async def _sign_in(self, user: str, password: str) -> tuple[ConfigFlowResult | None, dict[str, str]]:
        """The end of the dialog, or what is wrong with the name and password."""
        client = self._client("")
        auth = basic_auth(user, password)
        try:
            if (await client.session()).setup:
                return None, {"base": "needs_setup"}
            # Nothing is made for a service that cannot be set up.
            info = await client.info(auth)
            if (refused := await self._demand_right(info)) is not None:
                return refused, {}
            token = await client.make_token(_TOKEN_NAME, auth)
        except Forbidden:
            return None, {"base": "not_admin"}
        except ApiError as error:
            return None, {"base": _reason(error)}
        return self._end(info, token), {}

    async def _demand_right(self, info: ServiceInfo) -> ConfigFlowResult | None:
        """Why it is not this service that can be set up; None if it is.

        Raises:
            AbortFlow: It is set up already, or is another one than before.
        """
        if info.api != API_VERSION:
            return self.async_abort(reason="api_version")
        if self._expected not in (None, info.install_id):
            return self.async_abort(reason="wrong_service")
        await self.async_set_unique_id(info.install_id, raise_on_progress=False)
        if self.source in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            self._abort_if_unique_id_mismatch(reason="wrong_service")
        else:
            self._abort_if_unique_id_configured()
        return None

    def _end(self, info: ServiceInfo, token: str) -> ConfigFlowResult:
        data = {CONF_URL: self._url, CONF_TOKEN: token, CONF_VERIFY_SSL: self._verify_ssl}
        if self.source == SOURCE_REAUTH:
            return self.async_update_reload_and_abort(self._get_reauth_entry(), data=data)
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_reload_and_abort(self._get_reconfigure_entry(), data=data)
        return self.async_create_entry(title=info.name, data=data)

    def _menu(self, step_id: str) -> ConfigFlowResult:
        return self.async_show_menu(
            step_id=step_id,
            menu_options=["password", "token"],
            description_placeholders={"name": self._name or URL(self._url).host or "", "url": self._url},
        )

    def _where(self, typed: Mapping[str, Any] | None) -> probatio.Schema:
        url = URL(self._url)
        shown = typed or {
            CONF_HOST: url.host,
            CONF_PORT: url.port or DEFAULT_PORT,
            CONF_SSL: url.scheme == "https",
            CONF_VERIFY_SSL: self._verify_ssl,
        }
        schema = probatio.Schema(
            {
                probatio.Required(CONF_HOST): str,
                probatio.Required(CONF_PORT, default=DEFAULT_PORT): probatio.All(
                    probatio.Coerce(int), probatio.Range(min=1, max=65535)
                ),
                probatio.Required(CONF_SSL, default=False): bool,
                probatio.Required(CONF_VERIFY_SSL, default=True): bool,
            }
        )
        return self.add_suggested_values_to_schema(schema, shown)

    def _take(self, entry: ConfigEntry) -> None:
        self._url, self._verify_ssl, self._name = entry.data[CONF_URL], entry.data[CONF_VERIFY_SSL], entry.title

    def _client(self, token: str) -> LivecamClient:
        return client_for(self.hass, self._url, token, self._verify_ssl)


def _is_connected(entry: ConfigEntry) -> bool:
    if entry.state is not ConfigEntryState.LOADED:
        return False
    connected: bool = entry.runtime_data.coordinator.last_update_success
    return connected


def _typed_url(host: str, port: int, encrypted: bool) -> str:
    """What somebody typed as an address: a host, maybe with a port, or a whole URL; empty if it is neither."""
    typed = host.strip()
    if "://" in typed:
        return _proper_url(typed)
    scheme = "https" if encrypted else "http"
    try:
        if typed.count(":") > 1 and not typed.startswith("["):
            return _proper_url(str(URL.build(scheme=scheme, host=typed, port=port)))
        url = URL(f"{scheme}://{typed}")
        return _proper_url(str(url if url.explicit_port else url.with_port(port)))
    except ValueError:
        return ""


def _proper_url(text: str) -> str:
    """The address of the page without what does not belong to it; empty if it is none."""
    try:
        url = URL(text)
        port = url.port
    except ValueError:
        return ""
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.host or "") or not port:
        return ""
    if url.user or url.password:
        return ""  # the token is how we are let in, and addresses are shown
    return str(url.with_fragment(None).with_query(None)).rstrip("/")


def _reason(error: ApiError) -> str:
    """What is wrong, as a key of the translations."""
    reasons: tuple[tuple[type[ApiError], str], ...] = (
        (CertificateRefused, "certificate"),
        (CannotConnect, "cannot_connect"),
        (Unavailable, "cannot_connect"),
        (InvalidAuth, "invalid_auth"),
        (Forbidden, "not_operator"),
        (Throttled, "throttled"),
        (NotFound, "api_version"),
        (InvalidAnswer, "not_livecam"),
    )
    for kind, reason in reasons:
        if isinstance(error, kind):
            return reason
    _LOGGER.error("Setting up failed: %s", error.words)
    return "unknown"
