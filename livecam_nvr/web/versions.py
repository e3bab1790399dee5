"""What runs here, over HTTP, for admins."""

from aiohttp import web

from livecam_nvr.web.keys import PORTS


async def get_versions(request: web.Request) -> web.Response:
    """`GET /api/versions`: the versions of the service and of what it stands on."""
    ports = request.app[PORTS]
    server = ports.status.status().media_server
    # Some versions begin with the name.
    media = server.version if server.version.lower().startswith(server.name) else f"{server.name} {server.version}"
    found = {**await ports.about.versions(), "media server": media.strip()}
    return web.json_response({"versions": found})
