#!/usr/bin/env bash
# Make VENV with exactly the packages of requirements.lock and this project, with uv when present, else venv and pip.
set -euo pipefail
venv=${1:?usage: setup.sh VENV}
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "kgce needs python3 >= 3.11, found $("$python" --version 2>&1); set PYTHON=/path/to/python3.11" >&2
    exit 1
}
unset VIRTUAL_ENV
if command -v uv >/dev/null; then
    uv venv -q --clear --python "$(command -v "$python")" "$venv"
    install=(uv pip install -q --python "$venv/bin/python")
else
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        # Debian's python3 comes without venv; it is one package away
        package="$("$python" -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")')"
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
        else
            echo "python3 has no venv module here: install $package (or uv), then run this again" >&2
            exit 1
        fi
    fi
    "$python" -m venv --clear "$venv"
    install=("$venv/bin/python" -m pip install -q --disable-pip-version-check)
fi
echo "installing the locked packages into $venv ..."
"${install[@]}" --require-hashes -r requirements.lock
"${install[@]}" --no-deps --no-build-isolation -e .
