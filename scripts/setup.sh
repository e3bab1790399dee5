# shellcheck shell=sh
# What `livecam-nvr` and `run-tests` share: installs what is missing. Sourced, with these set before:
#   root    the project's folder, absolute
#   me      the command's name, for messages
# Everything said here goes to stderr; stdout belongs to the command.

venv="$root/.venv"
system_python=/usr/bin/python3

say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() {
    say "$1"
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

# True if any of the files (an expanded pattern) is there.
any() { for file in "$@"; do [ -e "$file" ] && return 0; done; return 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Distribution packages ----------------------------------------------------------------------------------

# Prints those of the named packages that are missing. Looks at files: that takes no time, and what was
# installed in another way than by apt counts, too.
missing() {
    for package in "$@"; do
        case $package in
            ffmpeg) have ffmpeg && have ffprobe ;;
            util-linux) have setpriv && have flock ;;
            fonts-dejavu-core) any /usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf ;;
            python3) [ -x "$system_python" ] ;;
            python3-picamera2) any /usr/lib/python3/dist-packages/picamera2/__init__.py ;;
            gcc) have cc ;;
            libc6-dev) any /usr/include/stdio.h ;;
            python3-gi) any /usr/lib/python3/dist-packages/gi/__init__.py ;;
            gir1.2-gst-rtsp-server-1.0) any /usr/lib/*/girepository-1.0/GstRtspServer-1.0.typelib ;;
            gstreamer1.0-plugins-base) any /usr/lib/*/gstreamer-1.0/libgstapp.so ;;
            gstreamer1.0-plugins-good) any /usr/lib/*/gstreamer-1.0/libgstudp.so ;;
            gstreamer1.0-plugins-bad) any /usr/lib/*/gstreamer-1.0/libgstmpegtsdemux.so ;;
            glib-networking) any /usr/lib/*/gio/modules/libgiognutls.so /usr/lib/*/gio/modules/libgioopenssl.so ;;
            mosquitto) have mosquitto || any /usr/sbin/mosquitto ;;
            chromium) have chromium ;;
            firefox-esr) have firefox-esr ;;
            iproute2) have ss ;;
            procps) have ps ;;
            *) dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ;;
        esac || printf '%s ' "$package"
    done
}

# True on a Raspberry Pi, whose own cameras need a package of the system's Python.
is_raspberry_pi() { grep -qs 'Raspberry Pi' /proc/device-tree/model; }

# Installs packages through apt, saying so first. Returns 1, having said why, if it can't.
apt_install() {
    if ! have apt-get; then
        say "missing: $*"
        say "this is no Debian; install what these Debian packages hold, then start again"
        return 1
    fi
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        if ! have sudo; then
            say "missing: $*"
            say "there is no sudo here; as root, run: apt-get install $*"
            return 1
        fi
        as_root=sudo
    fi
    say "installing these packages of the distribution${as_root:+ with sudo}: $*"
    # Lists that are old name versions that are no longer there; an update that fails in part may still do.
    $as_root apt-get -q -o DPkg::Lock::Timeout=300 update >&2 || say "apt-get update failed; going on"
    if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
        install --no-install-recommends "$@" >&2; then
        say "apt-get could not install: $*"
        return 1
    fi
}

# Python ---------------------------------------------------------------------------------------------------

usable_python() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; }
makes_venvs() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# Prints the first Python from 3.11 to 3.14 that can make virtual environments. (pyenv has commands for versions
# that are not active; they fail, and the next one is tried.)
find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 "$system_python"; do
        if have "$candidate" && usable_python "$candidate" && makes_venvs "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

require_python() {
    python=$(find_python) && return 0
    # shellcheck disable=SC2046
    [ ! -x "$system_python" ] || usable_python "$system_python" ||
        die "Python 3.11 to 3.14 is needed; this system's is $("$system_python" -V 2>&1)" \
            "Debian 12 or 13 and Raspberry Pi OS of these versions have it."
    apt_install python3 python3-venv || exit 1
    python=$(find_python) || die "there is no Python 3.11 to 3.14 that can make a virtual environment"
}

# The virtual environment ----------------------------------------------------------------------------------

# What a finished environment looks like: where it is, for which Python (a new release of the distribution brings
# another), and what is in it. Kept inside it as its stamp.
contents() {
    printf '%s\n' "$root"
    readlink -f "$venv/bin/python"
    cat "$root/$1"
}
is_ready() { [ -x "$venv/bin/python" ] && contents "$1" | cmp -s - "$venv/$1.installed"; }

# Makes the environment hold what the lock file $1 (in the project's folder) says. Once that is so it takes no
# time and no network. Two at once take turns; one that was interrupted is begun anew.
install_lock() {
    is_ready "$1" && return 0
    [ -w "$root" ] || die "the folder $root cannot be written to by $(id -un)" \
        "The virtual environment, recordings and data go there: clone to a folder of your own, or chown it."
    # The folder itself is the lock: there is no lock file to leave behind.
    exec 9<"$root"
    flock -n 9 || { say "waiting for another start that is installing"; flock 9; }
    if ! is_ready "$1"; then
        require_python
        make_venv "$1"
    fi
    exec 9<&-
}

make_venv() {
    # Left by a run that was interrupted: what is in there is anybody's guess.
    [ ! -e "$venv/unfinished" ] || rm -rf "$venv"
    if ! "$venv/bin/python" -c 'import pip' 2>/dev/null || ! usable_python "$venv/bin/python"; then
        say "making a virtual environment in $venv with $("$python" -V 2>&1)"
        rm -rf "$venv"
        mkdir "$venv"
        : >"$venv/unfinished"
        "$python" -m venv "$venv" 9<&- >&2 || die "the virtual environment could not be made"
    fi
    : >"$venv/unfinished"
    say "installing the Python packages of $1"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement \
        "$root/$1" 9<&- >&2 || die "the Python packages could not be installed" \
        "Is there a way to the internet? The next start tries again."
    # The project itself, so that it is found from whatever folder it is started in.
    site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    printf '%s\n' "$root" >"$site/livecam_nvr_project.pth"
    contents "$1" >"$venv/$1.installed.new"
    mv "$venv/$1.installed.new" "$venv/$1.installed"
    rm -f "$venv/unfinished"
}
