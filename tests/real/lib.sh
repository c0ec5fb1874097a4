# Shared by tests/run, tests/real/prepare and benches/peers; sourced, never run.
# shellcheck shell=bash

# Where everything that is downloaded or built lives: outside the checkout, so that `git clean` costs nothing.
dbgmate_cache() {
  printf '%s\n' "${DBGMATE_TESTBED:-${XDG_CACHE_HOME:-$HOME/.cache}/dbgmate/testbed}"
}

on_debian() {
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null &&
    grep -qs '^ID=debian$' /etc/os-release
}

# Becomes root the way this machine allows, without ever asking for a password.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_be_root() {
  [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

# Prints those of the named packages that are not installed.
missing_packages() {
  local package
  for package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      printf '%s\n' "$package"
  done
}

# A third-party source that cannot be reached must not stop us: what matters is whether the install works.
apt_update() {
  as_root apt-get -qq -o DPkg::Lock::Timeout=600 update || true
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -y -o DPkg::Lock::Timeout=600 install --no-install-recommends "$@"
}
