"""`livecam-nvr user add|passwd|set|list|remove`: who may sign in."""

import argparse
import json
from dataclasses import asdict

from livecam_nvr.cli import common, exit_codes
from livecam_nvr.cli.tables import table
from livecam_nvr.core.access import Deed, UserInfo
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import ErrorKind, LivecamError

ROLES = "viewer (watch live), watcher (and recordings), operator (and switch things), admin (and users)"


def add(commands: common.Commands) -> None:
    """Adds the command and its five."""
    parser = commands.add_parser(
        "user",
        help="add, change, list and remove users",
        description="Users sign in on the page, and with the same name and password at every other door: API, "
        "RTSP, WebRTC, HLS. Works beside a running service, which notices within a second.",
    )
    five = parser.add_subparsers(title="commands", metavar="COMMAND", dest="what", required=True)
    _add_add(five)
    passwd = five.add_parser(
        "passwd",
        help="set a user's password",
        description="Sets a user's password; whoever is signed in with the old one has to sign in again.",
    )
    _common(passwd)
    _password_file(passwd)
    passwd.set_defaults(execute=_passwd)
    change = five.add_parser(
        "set",
        help="change a user's role or cameras",
        description="Changes a user's role or cameras; what runs on the old rights ends.",
    )
    _common(change)
    change.add_argument("--role", metavar="ROLE", choices=[role.value for role in Role], help=ROLES)
    cameras = change.add_mutually_exclusive_group()
    cameras.add_argument("--camera", metavar="ID", action="append", help="only this camera; repeatable")
    cameras.add_argument("--all-cameras", action="store_true", help="no limit to certain cameras any more")
    change.set_defaults(execute=_set)
    listing = five.add_parser(
        "list",
        help="list the users",
        description="Lists the users, with role, cameras and when they last signed in.",
    )
    common.add_config_option(listing)
    listing.add_argument("--json", action="store_true", help="print JSON; times are UTC in nanoseconds")
    listing.set_defaults(execute=_list)
    remove = five.add_parser(
        "remove", help="remove a user", description="Removes a user; whatever they watch ends within seconds."
    )
    _common(remove)
    remove.set_defaults(execute=_remove)


def _add_add(commands: common.Commands) -> None:
    parser = commands.add_parser(
        "add",
        help="add a user",
        description="Adds a user, and asks for the password. The first one is an admin.",
    )
    _common(parser)
    parser.add_argument(
        "--role", metavar="ROLE", choices=[role.value for role in Role], help=f"{ROLES} (default: viewer)"
    )
    parser.add_argument("--camera", metavar="ID", action="append", help="only this camera; repeatable")
    _password_file(parser)
    parser.set_defaults(execute=_add)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the user's name")
    common.add_config_option(parser)


def _password_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        help="a file whose first line is the password; - is standard input (default: a question)",
    )


def _add(args: argparse.Namespace) -> int:
    config = common.load(args)
    from livecam_nvr.cli import access_files  # noqa: PLC0415 - nor these for `--help`
    from livecam_nvr.cli.password import asked_password, password_in  # noqa: PLC0415

    common.keep_quiet()
    cameras = access_files.known_cameras(config, args.camera)
    # Before the store: root's own files are root's to read.
    given = password_in(args.password_file)
    with access_files.opened_store(config) as store:
        first = not store.users()
        if first and (args.role not in (None, Role.ADMIN) or cameras is not None):
            raise LivecamError(
                ErrorKind.CONFLICT,
                "the first user has to be an admin, for all cameras",
                "leave out --role and --camera, and add this user afterwards",
            )
        role = Role.ADMIN if first else Role(args.role or Role.VIEWER)
        made = store.add_user(args.name, given or asked_password(args.name), role, cameras)
        rights = access_files.rights(made.role, made.cameras)
        access_files.note(config, Deed.USER, made.name, f"added: {rights}")
    print(f"{made.name} may sign in: {rights}.")
    return exit_codes.OK


def _passwd(args: argparse.Namespace) -> int:
    config = common.load(args)
    from livecam_nvr.cli import access_files  # noqa: PLC0415
    from livecam_nvr.cli.password import asked_password, password_in  # noqa: PLC0415

    common.keep_quiet()
    given = password_in(args.password_file)
    with access_files.opened_store(config) as store:
        name = _found(store.users(), args.name).name
        store.set_password(name, given or asked_password(name))
        access_files.note(config, Deed.PASSWORD, name, "set")
    print(f"{name} has a new password; whoever was signed in with the old one has to sign in again.")
    return exit_codes.OK


def _set(args: argparse.Namespace) -> int:
    config = common.load(args)
    from livecam_nvr.cli import access_files  # noqa: PLC0415

    common.keep_quiet()
    cameras = access_files.known_cameras(config, args.camera)
    if args.role is None and cameras is None and not args.all_cameras:
        raise LivecamError(
            ErrorKind.INVALID, "there is nothing to change", "give --role, --camera or --all-cameras"
        )
    with access_files.opened_store(config) as store:
        role = None if args.role is None else Role(args.role)
        changed = store.change_user(args.name, role=role, cameras=cameras, all_cameras=args.all_cameras)
        rights = access_files.rights(changed.role, changed.cameras)
        access_files.note(config, Deed.USER, changed.name, f"changed: {rights}")
    print(f"{changed.name} is now: {rights}.")
    return exit_codes.OK


def _list(args: argparse.Namespace) -> int:
    config = common.load(args)
    from livecam_nvr.cli import access_files  # noqa: PLC0415

    common.keep_quiet()
    with access_files.opened_store(config) as store:
        users = store.users()
    if args.json:
        print(json.dumps({"users": [asdict(user) for user in users]}, indent=2))
    elif not users:
        print("There is no user yet: livecam-nvr user add NAME")
    else:
        local, words = access_files.local, access_files.cameras_in_words
        rows = [
            (u.name, u.role.value, words(u.cameras), local(u.created_utc_ns), local(u.last_sign_in_utc_ns))
            for u in users
        ]
        print("\n".join(table(("NAME", "ROLE", "CAMERAS", "ADDED", "LAST SIGN-IN"), rows)))
    return exit_codes.OK


def _remove(args: argparse.Namespace) -> int:
    config = common.load(args)
    from livecam_nvr.cli import access_files  # noqa: PLC0415

    common.keep_quiet()
    with access_files.opened_store(config) as store:
        name = _found(store.users(), args.name).name
        store.remove_user(name)
        access_files.note(config, Deed.USER, name, "removed")
    print(f"{name} is removed.")
    return exit_codes.OK


def _found(users: list[UserInfo], name: str) -> UserInfo:
    from livecam_nvr.access.rules import key_of  # noqa: PLC0415

    for user in users:
        if key_of(user.name) == key_of(name):
            return user
    raise LivecamError(
        ErrorKind.NOT_FOUND,
        f"there is no user {name!r}",
        f"there are: {', '.join(user.name for user in users)}" if users else "add one: livecam-nvr user add NAME",
    )
