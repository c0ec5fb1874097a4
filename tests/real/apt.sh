# Debian's packages, downloaded and never installed; sourced by tests/real/recipe.sh.
# shellcheck shell=bash disable=SC2154,SC2164

# Another version of the same library comes from another release of Debian.
other_suite() {
  # shellcheck disable=SC1091
  case $(. /etc/os-release && printf '%s' "$VERSION_CODENAME") in
    trixie) echo bookworm ;;
    *) echo trixie ;;
  esac
}

# Source packages are rarely enabled. Rather than alter the machine's configuration, apt gets a private copy of it:
# the Debian suites the machine already uses, each also as deb-src, and the packages of another release.
private_apt_init() {
  mkdir -p apt/lists/partial apt/cache/archives/partial
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg options=''
  [ ! -e "$keyring" ] || options="[signed-by=$keyring] "
  # shellcheck disable=SC2016 # apt expands these, not the shell
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
    sort -u | while read -r target; do
      printf 'deb %s%s\ndeb-src %s%s\n' "$options" "$target" "$options" "$target"
    done >apt/sources.list
  # shellcheck disable=SC1091
  sed -n "s|^\(deb .*\) $(. /etc/os-release && printf '%s' "$VERSION_CODENAME") main$|\1 $(other_suite) main|p" \
    apt/sources.list >apt/other.list
  cat apt/other.list >>apt/sources.list
  [ -s apt/sources.list ]
}

private_apt() {
  local command=$1
  shift
  "$command" -o "Dir::Etc::sourcelist=$cache/apt/sources.list" -o Dir::Etc::sourceparts=- \
    -o "Dir::State::lists=$cache/apt/lists" -o "Dir::Cache=$cache/apt/cache" \
    -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any -o Acquire::Retries=2 "$@"
}

# Only when this fails is there "no network": it comes before anything that needs one.
refresh_lists() {
  private_apt_init && private_apt apt-get update
}

# The newest package of a suite whose name matches.
package_like() {
  local name suite=$2
  private_apt apt-cache pkgnames | grep -Ex "$1" | sort -V | while read -r name; do
    [ -z "$(versions_of "$name" Packages "$suite")" ] || printf '%s\n' "$name"
  done | tail -n 1
}

# The versions of a package that are listed, newest first. Its kind is Packages or Sources; its suite is `own` or
# `other`.
versions_of() {
  local package=$1 kind=$2 suite=$3
  private_apt apt-cache madison "$package" |
    awk -F ' *\\| *' -v package="$package" -v kind="$kind" -v other="$(other_suite)" -v wanted="$suite" '
      { sub(/^ */, "", $1) }
      $1 == package && $3 ~ kind "$" && ((index($3, " " other "/") > 0) == (wanted == "other")) { print $2 }' |
    sort -ruV
}

# Downloads a source package into archives/. Mirrors can list a version whose archive is gone (or not there yet),
# so the next older one is tried. Tells the manifest which one it was, and the newest that was listed.
fetch_source() {
  local package=$1 version newest=''
  mkdir -p archives
  for version in $(versions_of "$package" Sources own); do
    [ -n "$newest" ] || newest=$version
    if (cd archives && private_apt apt-get source --download-only "$package=$version"); then
      # A file name has no epoch.
      printf 'archives/%s_%s.dsc\n' "$package" "${version#*:}" >"stamps/$package.dsc"
      printf '%s_source=%s\n%s_newest_listed=%s\n' "$package" "$version" "$package" "$newest" >&3
      return
    fi
  done
  echo "no version of the source package $package can be downloaded" >&2
  return 1
}

unpack_source() {
  local package=$1
  rm -rf "sources/$package"
  mkdir -p sources
  # No check of the signature: apt has verified the checksums, and a fresh machine lacks the maintainers' keys.
  dpkg-source --no-check -x "$(cat "stamps/$package.dsc")" "sources/$package"
}

# Downloads packages of one version, all or none, and unpacks them into a folder. As with sources, an older version
# does when the newest cannot be had.
fetch_packages() {
  local folder=$1 suite=$2 version package
  shift 2
  rm -rf "$folder" "$folder.new"
  for version in $(versions_of "$1" Packages "$suite"); do
    mkdir -p "$folder.new"
    if (cd "$folder.new" && private_apt apt-get download "${@/%/=$version}" </dev/null); then
      for package in "$folder.new"/*.deb; do dpkg-deb --extract "$package" "$folder.new"; done
      rm "$folder.new"/*.deb
      mv "$folder.new" "$folder"
      printf '%s_packages=%s %s\n' "${folder##*/}" "$*" "$version" >&3
      return
    fi
    rm -rf "$folder.new"
  done
  echo "no version of $* can be downloaded" >&2
  return 1
}
