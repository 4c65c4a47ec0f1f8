#!/usr/bin/env bash
# The real servers and tools that tests start for themselves: installed when root, otherwise listed.
set -euo pipefail
declare -A package=([influxd]=influxdb [victoria-metrics]=victoria-metrics [mosquitto]=mosquitto [mosquitto_pub]=mosquitto-clients [chromium]=chromium [mbpoll]=mbpoll [ip]=iproute2)
missing=()
for tool in "${!package[@]}"; do
    PATH="$PATH:/usr/sbin" command -v "$tool" >/dev/null || missing+=("${package[$tool]}")
done
ldconfig -p 2>/dev/null | grep -q 'libmodbus\.so\.5' || [ -e /usr/lib/"$(uname -m)"-linux-gnu/libmodbus.so.5 ] || missing+=(libmodbus5)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing for the tests: ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
    echo "the tests that need them will be skipped; to run all of them: apt-get install ${missing[*]}" >&2
fi
