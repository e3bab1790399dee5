"""What `doctor` says of access: who may read secrets, the certificate, whether there is a user."""

import asyncio
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from livecam_nvr.cli.access_files import access_folder
from livecam_nvr.cli.secret_files import exposed, own_secrets
from livecam_nvr.config.models import Config
from livecam_nvr.config.secrets import loose_secrets
from livecam_nvr.core.ports import Check, SelfCheck


def access_checks(config: Config, config_file: Path | None) -> Sequence[SelfCheck]:
    """All of them; `config_file` is what the config was read from, None if there was none."""
    return (SecretsCheck(config, config_file), CertificateCheck(config), UsersCheck(config))


class SecretsCheck:
    """Files with secrets are for those who need them only."""

    name = "secrets"

    def __init__(self, config: Config, config_file: Path | None) -> None:
        self._config = config
        self._config_file = config_file

    async def check(self) -> Sequence[Check]:
        """See SelfCheck."""
        return await asyncio.to_thread(self._look)

    def _look(self) -> Sequence[Check]:
        data_dir = self._config.data_dir
        try:
            own = [exposed(path, data_dir) for path in own_secrets(data_dir)]
        except PermissionError as error:
            return [_not_for_us(self.name, error)]
        bad = [(loose.found, loose.mend) for loose in loose_secrets(self._config_file, self._config)]
        bad += [found for found in own if found is not None]
        if bad:
            return [Check(self.name, ok=False, found=found, mend=mend) for found, mend in bad]
        return [Check(self.name, ok=True, found="nobody else can read them")]


class CertificateCheck:
    """Certificate and key can be read, belong together, are valid, and for this machine."""

    name = "certificate"

    def __init__(self, config: Config) -> None:
        self._config = config

    async def check(self) -> Sequence[Check]:
        """See SelfCheck."""
        return await asyncio.to_thread(self._look)

    def _look(self) -> Sequence[Check]:
        from livecam_nvr.runtime.certificate import check_key, read, valid_words  # noqa: PLC0415 - heavy

        tls = self._config.tls
        if tls.certificate is None or tls.private_key is None:
            return [Check(self.name, ok=True, found="none: nothing is encrypted (livecam-nvr tls init)")]
        info = read(tls.certificate)
        check_key(tls.certificate, tls.private_key)
        now, host = datetime.now(UTC), _own_host(self._config.listen.address)
        words = valid_words(info, now)
        renew = "livecam-nvr tls init --renew" if info.self_signed else "have it renewed by whom it is from"
        if now < info.begin:
            return [Check(self.name, ok=False, found=words, mend="is this machine's clock right?")]
        if info.ends_soon(now):
            return [Check(self.name, ok=False, found=words, mend=renew)]
        # One from an authority is for a name that its owner knows; our own is for this machine.
        if info.self_signed and not info.covers(host):
            found = f"it is for {', '.join(info.names) or 'no name'}, and this machine is called {host}"
            return [Check(self.name, ok=False, found=found, mend=f"livecam-nvr tls init --renew --name {host}")]
        return [Check(self.name, ok=True, found=f"{words}, for {', '.join(info.names)}")]


def _own_host(address: str) -> str:
    return socket.gethostname() if ip_address(address).is_unspecified else address


class UsersCheck:
    """There is somebody who may sign in."""

    name = "users"

    def __init__(self, config: Config) -> None:
        self._config = config

    async def check(self) -> Sequence[Check]:
        """See SelfCheck."""
        return await asyncio.to_thread(self._look)

    def _look(self) -> Sequence[Check]:
        from livecam_nvr.access.store import FILE, AccessStore  # noqa: PLC0415 - SQLite

        folder = access_folder(self._config)
        names: list[str] = []
        try:
            # The store would be made otherwise, and doctor changes nothing.
            if (folder / FILE).exists():
                with AccessStore(folder) as store:
                    names = [user.name for user in store.users()]
        except PermissionError as error:
            return [_not_for_us(self.name, error)]
        if names:
            return [Check(self.name, ok=True, found=", ".join(names))]
        mend = "livecam-nvr user add NAME; or open the page of the running service, with the code it printed"
        return [Check(self.name, ok=False, found="there is none yet: nobody can sign in", mend=mend)]


def _not_for_us(name: str, error: PermissionError) -> Check:
    mend = "run doctor as the user that the service runs as, or with sudo"
    return Check(name, ok=False, found=f"this user may not look at {error.filename}", mend=mend)
