"""What `run` prints at its start: where to look. Pure."""

from ipaddress import ip_address

from livecam_nvr.config.models import Camera, Config
from livecam_nvr.domain.redact import redact
from livecam_nvr.domain.status import CameraStatus, ServerState, ServiceStatus


def banner(
    config: Config,
    status: ServiceStatus | None = None,
    host: str = "localhost",
    *,
    setup_code: str | None = None,
    demo: bool = False,
) -> str:
    """Addresses, recordings and the broker's state, for a terminal; ends without a line break.

    Args:
        config: What was asked for.
        status: What is so, as far as it is known by now.
        host: This machine's name in the network, shown where the service listens on all addresses.
        setup_code: What the page asks for while there is no user; None if there is one.
        demo: Whether everybody is let in.
    """
    shown = _shown_host(config.listen.address, host)
    known = {camera.id: camera for camera in status.cameras} if status else {}
    enabled = [camera for camera in config.cameras if camera.enabled]
    scheme = "https" if config.tls.enabled else "http"
    page = (status.page_url if status else "") or f"{scheme}://{shown}:{config.listen.http_port}/"
    rows = [("page", page)]
    rows += [(camera.id, _camera(camera, known.get(camera.id), shown, config)) for camera in enabled]
    rows += [
        ("recordings", f"{config.recording.path}  ({config.recording.segment_seconds} s a file)"),
        ("broker", _broker(config, status)),
    ]
    if status:
        rows.append(("media server", _media_server(status)))
        if status.disk.problem:
            rows.append(("disk", status.disk.reason))
    width = max(len(name) for name, _ in rows) + 2
    lines = [_title(config, status)]
    if setup_code is not None:
        lines += _setup(page, setup_code)
    lines += [f"  {name:<{width}}{text}".rstrip() for name, text in rows]
    lines += [*_reach(config, demo=demo), "Ctrl+C stops it."]
    return redact("\n".join(lines).replace("{host}", shown))


def _title(config: Config, status: ServiceStatus | None) -> str:
    product = f"livecam-nvr {status.version}" if status else "livecam-nvr"
    return f"{product} is running" + (f": {config.node.name}" if config.node.name != "livecam-nvr" else "")


def _shown_host(address: str, host: str) -> str:
    ip = ip_address(address)
    if ip.is_unspecified:
        return host
    return f"[{address}]" if ip.version == 6 else address  # noqa: PLR2004 - RFC 3986, 3.2.2


def _setup(page: str, code: str) -> list[str]:
    return [
        "",
        "  NOBODY CAN WATCH YET: the first password has to be set. From this machine or your local network, open",
        f"    {page}setup#code={code}",
        f"  or open the page and type the code {code}",
        "  or run: livecam-nvr user add NAME",
        "",
    ]


def _camera(camera: Camera, status: CameraStatus | None, host: str, config: Config) -> str:
    listen = config.listen
    scheme, port = ("rtsps", listen.rtsps_port) if config.tls.only else ("rtsp", listen.rtsp_port)
    address = status.addresses.rtsp if status and status.addresses else f"{scheme}://{host}:{port}/{camera.id}"
    about = camera.title if camera.title != camera.id else ""
    if camera.kind == "test":
        about = f"{about}, a test picture" if about else "a test picture"
    return f"{address}  {about}"


def _broker(config: Config, status: ServiceStatus | None) -> str:
    if not config.mqtt.host:
        return "none; set mqtt.host in config.yaml for Home Assistant"
    address = f"{config.mqtt.host}:{config.mqtt.port}"
    if status and status.broker.connected:
        return f"{address}, connected"
    if status and status.broker.fault:
        return f"{address}, not connected: {status.broker.fault.message}; tried again for ever"
    return f"{address}, connecting"


def _media_server(status: ServiceStatus) -> str:
    server = status.media_server
    named = server.name in server.version.lower()
    name = server.version if named else f"{server.name} {server.version}".rstrip()
    if server.state is ServerState.READY:
        return name
    return f"{name}, {server.state.value}" + (f": {server.fault.message}" if server.fault else "")


def _reach(config: Config, *, demo: bool) -> list[str]:
    here = ip_address(config.listen.address).is_loopback
    lines = []
    if demo:
        lines.append("A demo: everybody who can reach this page may watch and switch.")
    if here:
        lines += [
            "Only this machine can watch (it listens on loopback). For the network, set listen.address",
            "in config.yaml to 0.0.0.0.",
        ]
    elif not config.tls.enabled:
        lines.append("Pictures and passwords cross the network unencrypted; `livecam-nvr tls init` helps.")
    return lines
