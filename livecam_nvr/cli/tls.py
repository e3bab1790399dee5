"""`livecam-nvr tls init|show`: a certificate of one's own for the page and for RTSPS."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from livecam_nvr.access.self_signed import MOST_DAYS
from livecam_nvr.cli import common, exit_codes
from livecam_nvr.domain.errors import ErrorKind, LivecamError

if TYPE_CHECKING:
    from livecam_nvr.access.self_signed import Files
    from livecam_nvr.config.models import Config
    from livecam_nvr.runtime.certificate import CertificateInfo


def add(commands: common.Commands) -> None:
    """Adds the command and its two."""
    parser = commands.add_parser(
        "tls",
        help="make a certificate for https and RTSPS, or show the one there is",
        description="A certificate encrypts the page, the API and RTSP. One from a public authority needs no "
        "command: name its files in config.yaml.",
    )
    both = parser.add_subparsers(title="commands", metavar="COMMAND", dest="what", required=True)
    init = both.add_parser(
        "init",
        help="make a self-signed certificate",
        description="Makes a self-signed certificate and its key in the data folder, for this machine's names and "
        "addresses, and says what to put into config.yaml and how to trust it.",
    )
    common.add_config_option(init)
    init.add_argument(
        "--name",
        metavar="HOSTNAME",
        action="append",
        default=[],
        help="another name or address that the page is opened by; repeatable",
    )
    init.add_argument(
        "--days",
        metavar="N",
        type=_days,
        default=MOST_DAYS,
        help=f"how long it is valid (default: {MOST_DAYS}, the most that phones and browsers accept)",
    )
    init.add_argument("--renew", action="store_true", help="put a new one, with a new key, in its place")
    init.set_defaults(execute=_init)
    show = both.add_parser(
        "show",
        help="show the certificate in use",
        description="Shows names, end and fingerprint of the certificate in use, or of the one that was made.",
    )
    common.add_config_option(show)
    show.set_defaults(execute=_show)


def _init(args: argparse.Namespace) -> int:
    config = common.load(args)
    from livecam_nvr.access.self_signed import Files, checked_names, make  # noqa: PLC0415
    from livecam_nvr.cli.access_files import act_as_owner  # noqa: PLC0415
    from livecam_nvr.cli.own_names import own_names  # noqa: PLC0415
    from livecam_nvr.runtime.certificate import read, valid_words  # noqa: PLC0415 - nor these for `--help`
    from livecam_nvr.runtime.timesync import EARLIEST_NS  # noqa: PLC0415

    act_as_owner(config.data_dir)
    files, now = Files.below(config.data_dir), datetime.now(UTC)
    asked = checked_names(args.name)
    if files.certificate.exists() and not args.renew:
        info = read(files.certificate)
        lacking = [name for name in asked if not info.covers(name)]
        if lacking:
            raise LivecamError(
                ErrorKind.CONFLICT,
                f"there is a certificate already, and it is not for {', '.join(lacking)}",
                f"a new one takes its place with --renew: {files.certificate}",
            )
        print(f"There is a certificate already, {valid_words(info, now)}; --renew puts a new one in its place.\n")
    else:
        if now.timestamp() * 1e9 < EARLIEST_NS:
            raise LivecamError(
                ErrorKind.UNAVAILABLE,
                f"this machine's clock shows {now:%Y-%m-%d}: nobody would accept the certificate",
                "set the clock first: timedatectl",
            )
        before = read(files.certificate).names if files.certificate.exists() else ()
        names = checked_names([*own_names(), *(before if args.renew and not asked else asked)])
        info = make(files, names, days=args.days, now=now)
        print(f"Made a certificate, {valid_words(info, now)}: {files.certificate}\n")
    print(_described(info))
    print(_what_to_do(config, files, renewed=args.renew))
    return exit_codes.OK


def _show(args: argparse.Namespace) -> int:
    config = common.load(args)
    from livecam_nvr.access.self_signed import Files  # noqa: PLC0415
    from livecam_nvr.runtime.certificate import check_key, read, valid_words  # noqa: PLC0415 - see above

    files = Files.below(config.data_dir)
    path, key = config.tls.certificate or files.certificate, config.tls.private_key or files.private_key
    if not config.tls.enabled and not path.exists():
        raise LivecamError(
            ErrorKind.NOT_FOUND, "there is no certificate", "livecam-nvr tls init makes one of your own"
        )
    info = read(path)
    used = "in use" if config.tls.enabled else "not in use: config.yaml has no section tls"
    print(f"{path}  ({used})")
    print(_described(info))
    print(f"  {valid_words(info, datetime.now(UTC))}")
    check_key(path, key)
    return exit_codes.OK


def _described(info: "CertificateInfo") -> str:
    issuer = "self-signed" if info.self_signed else f"from {info.issuer}"
    return "\n".join(
        (
            f"  subject      {info.subject}, {issuer}",
            f"  names        {', '.join(info.names) or 'none'}",
            f"  SHA-256      {info.fingerprint}",
        )
    )


def _what_to_do(config: "Config", files: "Files", *, renewed: bool) -> str:
    tls = config.tls
    if tls.certificate == files.certificate and tls.private_key == files.private_key:
        used = "config.yaml names it already" + ("; a running service takes the new one." if renewed else ".")
    elif tls.enabled:
        used = f"config.yaml names another certificate, which stays in use: {tls.certificate}"
    else:
        used = (
            "Put these lines into config.yaml, and restart the service:\n\n"
            f"tls:\n  certificate: {_yaml(files.certificate)}\n  private_key: {_yaml(files.private_key)}"
        )
    return f"""
{used}

Browsers do not know it: they warn once. Compare the SHA-256 above with the one that they show, and go on only if
it is the same. To be rid of the warning, copy {files.certificate.name} (never the key) to the computer:
  curl      curl --cacert {files.certificate.name} https://…
  Linux     Chromium: Settings, Privacy and security, Security, Manage certificates
  macOS     open it in Keychain Access; Trust: Always Trust
  Windows   open it; Install Certificate, Trusted Root Certification Authorities
Phones and Home Assistant want a certificate from an authority that they know; see docs/guide/access.md."""


def _yaml(path: Path) -> str:
    """A path for the config: quoted as YAML wants it."""
    return "'" + str(path).replace("'", "''") + "'"


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to {MOST_DAYS}")
    return int(text)
