"""What is published of the integration and of the app, made from this tree and checked.

`OUT/livecam_nvr.zip` is the asset of a release: HACS and Home Assistant's Marketplace unpack it to
`custom_components/livecam_nvr`. `OUT/repository/` is the integration's own repository on GitHub, as both want one
integration for each. `OUT/app-repository/` is what the Supervisor of Home Assistant OS takes the app from. The
same tree and version give the same bytes.
"""

import argparse
import re
import shutil
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(Path(__file__).parents[1]))

from release import app, integration, packing, rules  # noqa: E402

_NEXT = """To publish it:
- push repository/ to https://github.com/{repository}, and give that a description, topics and issues
- release the tag v{version} there, with {asset} as its asset"""


def main() -> int:
    """Makes and checks all of it. 0 if it may be published, 1 if not; every reason is said."""
    wish = arguments()
    out: Path = wish.out
    version = wish.version or project_version()
    if out.exists() and any(out.iterdir()):
        print(f"{out} is not empty; name a folder that does not exist yet", file=sys.stderr)
        return 2
    repository = out / "repository"
    integration.make(ROOT, repository, wish.repository, version)
    packing.pack(repository / "custom_components" / rules.DOMAIN, out / rules.ZIP)
    wrong = [*rules.of_repository(repository), *rules.of_zip(out / rules.ZIP, repository)]
    made = [out / rules.ZIP, repository]
    if wish.app_repository:
        app.make(ROOT, out / "app-repository", wish.app_repository, version)
        made.append(out / "app-repository")
    for line in wrong:
        print(f"wrong: {line}", file=sys.stderr)
    if wrong:
        shutil.rmtree(out)
        return 1
    for path in made:
        print(path)
    print(_NEXT.format(repository=wish.repository, version=version, asset=rules.ZIP))
    return 0


def arguments() -> argparse.Namespace:
    """What is to be made."""
    parser = argparse.ArgumentParser(prog="release-integration", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path, metavar="OUT", help="a new folder for what is made")
    parser.add_argument("--repository", type=github_name, required=True, metavar="OWNER/NAME", help="on GitHub")
    parser.add_argument("--app-repository", type=github_name, metavar="OWNER/NAME", help="makes the app's, too")
    parser.add_argument("--version", help="instead of the project's")
    return parser.parse_args()


def github_name(text: str) -> str:
    """OWNER/NAME as GitHub has them.

    Raises:
        argparse.ArgumentTypeError: it is something else.
    """
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/(?!\.\.?$)[A-Za-z0-9._-]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no OWNER/NAME, as in anna/livecam-nvr-integration")
    return text


def project_version() -> str:
    """The version that pyproject.toml says."""
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return version


if __name__ == "__main__":
    sys.exit(main())
